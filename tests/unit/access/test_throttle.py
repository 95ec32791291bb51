"""Waiting after failed attempts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from serment.core.access import throttle
from serment.core.access.throttle import (
    MAX_STATES,
    Attempts,
    Throttle,
    address_key,
    failed,
    is_alarming,
    succeeded,
    wait_seconds,
)
from serment.errors import Busy

T = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def after(failures: int, state: Throttle | None = None, now: datetime = T) -> Throttle:
    state = state or Throttle()
    for _ in range(failures):
        state = failed(state, now)
    return state


def test_the_third_failure_makes_a_wait_of_a_minute() -> None:
    assert wait_seconds(after(2), T) == 0
    state = after(3)
    assert wait_seconds(state, T) == 60
    assert wait_seconds(state, T + 59.5 * SECOND) == 1
    assert wait_seconds(state, T + 60 * SECOND) == 0


def test_waits_grow_and_stay_bounded() -> None:
    state, waits = Throttle(), []
    now = T
    for _ in range(7):
        state = after(3, state, now)
        waits.append(wait_seconds(state, now))
        now += timedelta(seconds=waits[-1])
    assert waits == [60, 120, 300, 900, 1800, 1800, 1800]
    assert len(state.waits) <= 6


def test_the_next_day_begins_at_a_minute_again() -> None:
    state = after(9)
    later = T + timedelta(days=1)
    assert wait_seconds(after(3, state, later), later) == 60


def test_a_success_forgives_failures_not_the_count_of_waits() -> None:
    state = succeeded(after(2, after(3)))
    assert wait_seconds(state, T) == 0
    assert wait_seconds(after(3, state), T) == 120


def test_slips_far_apart_make_no_wait() -> None:
    state = Throttle()
    for n in range(12):
        state = failed(state, T + n * timedelta(minutes=15))
    assert state.waits == ()


def test_three_waits_in_a_day_are_alarming() -> None:
    assert not is_alarming(after(6), T)
    state = after(9)
    assert is_alarming(state, T)
    assert not is_alarming(state, T + timedelta(days=1))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("fe80::1%eth0", "fe80::1%eth1", True),
        ("local", "local", True),
    ],
)
def test_what_counts_as_one_address(one: str, other: str, same: bool) -> None:
    assert (address_key(one) == address_key(other)) is same


def check_may_try(attempts: Attempts, login: str, address: str, now: datetime) -> None:
    attempts.begin(login, address, now)
    attempts.ended(login, address)


def test_account_and_address_are_counted_apart() -> None:
    attempts = Attempts()
    for login in ("a", "b", "c"):
        attempts.failed(login, "192.0.2.1", T)
    with pytest.raises(Busy, match="wait 60 seconds"):
        check_may_try(attempts, "d", "192.0.2.1", T)
    check_may_try(attempts, "a", "192.0.2.2", T)
    for last in (3, 4, 5):
        attempts.failed("a", f"192.0.2.{last}", T)
    with pytest.raises(Busy):
        check_may_try(attempts, "A", "192.0.2.9", T)


def test_one_known_password_gives_no_free_guesses() -> None:
    attempts = Attempts()
    for login in ("a", "b", "c"):
        attempts.failed(login, "192.0.2.1", T)
        attempts.succeeded("mine", "192.0.2.1")
    with pytest.raises(Busy):
        check_may_try(attempts, "d", "192.0.2.1", T)


def test_a_success_forgives_the_account() -> None:
    attempts = Attempts()
    attempts.failed("a", "192.0.2.1", T)
    attempts.failed("a", "192.0.2.2", T)
    attempts.succeeded("a", "192.0.2.3")
    attempts.failed("a", "192.0.2.4", T)
    check_may_try(attempts, "a", "192.0.2.5", T)


def test_the_alert_is_raised_once_it_is_due() -> None:
    attempts = Attempts()
    raised = [attempts.failed("a", f"192.0.2.{n}", T) for n in range(9)]
    assert raised == [False] * 8 + [True]


def test_trying_at_once_gives_no_free_guesses() -> None:
    attempts = Attempts()
    for _ in range(3):
        attempts.begin("a", "192.0.2.1", T)
    for login, address in (("a", "192.0.2.2"), ("b", "192.0.2.1")):
        with pytest.raises(Busy, match="wait 1 seconds"):
            attempts.begin(login, address, T)
    attempts.ended("a", "192.0.2.1")
    attempts.begin("b", "192.0.2.1", T)
    with pytest.raises(Busy):
        attempts.begin("a", "192.0.2.1", T)


def test_failures_and_what_is_under_way_count_together() -> None:
    attempts = Attempts()
    attempts.failed("a", "192.0.2.1", T)
    attempts.failed("a", "192.0.2.2", T)
    attempts.begin("a", "192.0.2.3", T)
    with pytest.raises(Busy):
        attempts.begin("a", "192.0.2.4", T)
    attempts.ended("a", "192.0.2.3")
    assert not attempts._tried
    check_may_try(attempts, "a", "192.0.2.4", T)


@pytest.mark.parametrize("home", ["local", "127.0.0.1", "::1", "192.0.2.77"])
def test_strangers_keep_nobody_out_who_is_known(home: str) -> None:
    attempts = Attempts()
    attempts.know("a", "192.0.2.77")
    for last in range(1, 10):
        attempts.failed("a", f"192.0.2.{last}", T)
    with pytest.raises(Busy):
        attempts.begin("a", "192.0.2.50", T)
    check_may_try(attempts, "a", home, T)
    for _ in range(3):
        attempts.failed("a", home, T)
    with pytest.raises(Busy):
        attempts.begin("a", home, T)


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_STATES <= 10_000
    monkeypatch.setattr(throttle, "MAX_STATES", 50)
    attempts = Attempts()
    for n in range(500):
        attempts.failed("victim", f"10.0.{n // 250}.{n % 250}", T)
    assert len(attempts) == 50
    with pytest.raises(Busy):
        check_may_try(attempts, "victim", "192.0.2.1", T)
    assert len(attempts) == 50
    for n in range(99):
        attempts.know("victim", f"10.1.0.{n}")
    assert len(attempts._known) == 50
    attempts.failed("x" * 10**6, "y" * 10**6, T)
    assert max(len(key) for key in attempts._states) < 100
