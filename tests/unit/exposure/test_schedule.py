"""When the weekly audit is due: on its day and hour, later when it was missed, again after a failure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from serment.core.exposure.schedule import (
    AGAIN,
    WEEK,
    Failure,
    Plan,
    Schedule,
    check_plan,
    is_due,
    next_at,
    slot_after,
    slot_before,
)
from serment.errors import AccessDenied, UsageError

PARIS = ZoneInfo("Europe/Paris")
NOON = datetime(2026, 11, 25, 11, 0, tzinfo=UTC)  # a Wednesday, 12 h in Paris
PLAN = Plan(True, 2, 12, authorised_by="Dr Exemple", since=NOON - 3 * WEEK - timedelta(days=1))
MINUTE = timedelta(minutes=1)


def due(schedule: Schedule, now: datetime) -> bool:
    return is_due(schedule, now, PARIS)


def test_on_its_day_and_hour_and_once() -> None:
    before = Schedule(PLAN, done=NOON - WEEK)
    assert not due(before, NOON - MINUTE)
    assert due(before, NOON)
    assert next_at(before, NOON - MINUTE, PARIS) == NOON
    after = Schedule(PLAN, done=NOON + MINUTE)
    assert not due(after, NOON + 2 * MINUTE)
    assert next_at(after, NOON + 2 * MINUTE, PARIS) == NOON + WEEK


@pytest.mark.parametrize("late", [timedelta(minutes=5), timedelta(days=2), 3 * WEEK + MINUTE])
def test_what_was_missed_is_caught_up_once(late: timedelta) -> None:
    now = NOON + late
    assert due(Schedule(PLAN, done=NOON - WEEK), now)
    assert not due(Schedule(PLAN, done=now), now + MINUTE)


def test_off_and_just_switched_on() -> None:
    assert not due(Schedule(), NOON)
    assert next_at(Schedule(), NOON, PARIS) is None
    fresh = Schedule(Plan(True, 2, 12, authorised_by="Dr Exemple", since=NOON + MINUTE))
    assert not due(fresh, NOON + timedelta(days=6)), "not for what was before"
    assert due(fresh, NOON + WEEK)


def test_a_failure_is_tried_again_an_hour_later_and_forgotten_the_week_after() -> None:
    failed = Schedule(PLAN, NOON - WEEK, Failure(NOON + MINUTE, "why"))
    assert not due(failed, NOON + AGAIN)
    assert next_at(failed, NOON + AGAIN, PARIS) == NOON + AGAIN + MINUTE
    assert due(failed, NOON + AGAIN + MINUTE)
    assert due(Schedule(PLAN, NOON - WEEK, Failure(NOON - timedelta(days=1), "why")), NOON)


@pytest.mark.parametrize(
    ("now", "before", "after"),
    [
        # the night of 29 March 2026: 2 h does not exist; of 25 October: it comes twice
        ((2026, 3, 29, 0, 30), (2026, 3, 22, 1, 0), (2026, 3, 29, 1, 0)),
        ((2026, 3, 29, 1, 30), (2026, 3, 29, 1, 0), (2026, 4, 5, 0, 0)),
        ((2026, 10, 25, 0, 30), (2026, 10, 25, 0, 0), (2026, 11, 1, 1, 0)),
        ((2026, 10, 25, 1, 30), (2026, 10, 25, 0, 0), (2026, 11, 1, 1, 0)),
    ],
)
def test_when_clocks_are_changed(
    now: tuple[int, ...], before: tuple[int, ...], after: tuple[int, ...]
) -> None:
    sunday = Plan(True, 6, 2)
    at, then, later = (datetime(*each, tzinfo=UTC) for each in (now, before, after))  # type: ignore[arg-type,misc]
    assert slot_before(sunday, at, PARIS) == then
    assert slot_after(sunday, at, PARIS) == later


@pytest.mark.parametrize("hour", range(0, 24 * 14, 5))
def test_now_lies_between_two_of_its_times(hour: int) -> None:
    now = NOON + timedelta(hours=hour)
    assert slot_before(PLAN, now, PARIS) <= now < slot_after(PLAN, now, PARIS)
    assert slot_before(PLAN, now).astimezone().hour == 12, "of this machine without a zone"


@pytest.mark.parametrize(
    "plan",
    [Plan(True, 7, 12, (), "x"), Plan(True, 2, 24, (), "x"), Plan(True, 2, 12, (), " ")],
)
def test_a_plan_has_a_day_an_hour_and_somebody_who_answers(plan: Plan) -> None:
    with pytest.raises(UsageError):
        check_plan(plan)


@pytest.mark.parametrize(
    "target", ["8.8.8.8", "192.168.1.0-192.168.2.9", "8.8.8.0/30", "not!a!name"]
)
def test_a_plan_takes_no_address_that_each_audit_would_refuse(target: str) -> None:
    plan = Plan(True, 1, 3, (target,), "Dr Exemple")
    if target.startswith("192"):
        check_plan(plan)
    else:
        with pytest.raises((AccessDenied, UsageError)):
            check_plan(plan)


def test_off_needs_nobody() -> None:
    check_plan(Plan(False))
