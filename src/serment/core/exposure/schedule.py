"""When the weekly audit is due: on its day and hour by the practice's own clock, later when that was
missed, an hour later when it failed.

Time is an argument; the zone too (None = this machine's). Who runs it, and that there is never more
than one at once, is decided elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from serment.core.exposure.scope import is_own, not_yours, parse_target
from serment.errors import N_, UsageError

WEEK: Final = timedelta(days=7)
AGAIN: Final = timedelta(hours=1)  # after a failure
DEFAULT_WEEKDAY, DEFAULT_HOUR = 2, 12  # Wednesday at noon: machines are on, nobody waits for them


@dataclass(frozen=True, slots=True)
class Plan:
    """What somebody decided. `weekday`: 0 = Monday (ISO 8601 less one); `hour`: 0 to 23, local;
    `targets` () = the practice's own networks; `since`: when he decided it."""

    on: bool = False
    weekday: int = DEFAULT_WEEKDAY
    hour: int = DEFAULT_HOUR
    targets: tuple[str, ...] = ()
    authorised_by: str = ""
    large: bool = False
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """The last attempt could not be finished: a message id with its values, and a hint."""

    at: datetime
    message: str
    values: dict[str, object] = field(default_factory=dict)
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The plan and what became of it. `done`: when the last one that ended well began; `failed`:
    None once one has ended well."""

    plan: Plan = Plan()
    done: datetime | None = None
    failed: Failure | None = None


def check_plan(plan: Plan) -> None:
    """Raise `UsageError` for a day or an hour that is none, or a plan that nobody answers for, and
    `AccessDenied` for a public address: each audit would be refused it."""
    if not 0 <= plan.weekday <= 6 or not 0 <= plan.hour <= 23:
        raise UsageError(
            N_("this is no day and hour of the week"),
            hint=N_("a day from monday to sunday, an hour from 0 to 23"),
        )
    if plan.on and not plan.authorised_by.strip():
        raise UsageError(
            N_("nobody said who authorised the weekly audit"),
            hint=N_("name the person who answers for this network"),
        )
    for target in plan.targets:
        for network in parse_target(target) or ():
            if network.version == 4 and not is_own(network):
                raise not_yours(str(network.network_address))


def is_due(schedule: Schedule, now: datetime, zone: tzinfo | None = None) -> bool:
    """Whether it should begin now; the last time that was missed counts, earlier ones do not."""
    plan, failed = schedule.plan, schedule.failed
    if not plan.on:
        return False
    slot = slot_before(plan, now, zone)
    if plan.since is not None and slot < plan.since:
        return False
    if schedule.done is not None and schedule.done >= slot:
        return False
    return failed is None or failed.at < slot or now - failed.at >= AGAIN


def next_at(schedule: Schedule, now: datetime, zone: tzinfo | None = None) -> datetime | None:
    """When it will begin next, if Serment runs then; None while it is off."""
    if not schedule.plan.on:
        return None
    if is_due(schedule, now, zone):
        return now
    slot, failed = slot_before(schedule.plan, now, zone), schedule.failed
    if failed is not None and failed.at >= slot:
        return failed.at + AGAIN
    return slot_after(schedule.plan, now, zone)


def slot_before(plan: Plan, now: datetime, zone: tzinfo | None = None) -> datetime:
    """The last of its weekly times that is not after `now`; UTC."""
    local = now.astimezone(zone)
    day = local.date() - timedelta((local.weekday() - plan.weekday) % 7)
    slot = _moment(day, plan.hour, zone)
    return slot if slot <= now else _moment(day - WEEK, plan.hour, zone)


def slot_after(plan: Plan, now: datetime, zone: tzinfo | None = None) -> datetime:
    """The first of its weekly times after `now`."""
    day = slot_before(plan, now, zone).astimezone(zone).date()
    return _moment(day + WEEK, plan.hour, zone)


def _moment(day: date, hour: int, zone: tzinfo | None) -> datetime:
    """That hour of that day where the practice is: it stays the same when clocks are put forward."""
    return datetime.combine(day, time(hour), zone).astimezone(UTC)
