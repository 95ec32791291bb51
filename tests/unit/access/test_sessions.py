"""When sessions end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from serment.core.access.sessions import End, begin, end_of, ends_at, seen

T = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_thirty_idle_minutes() -> None:
    life = begin(T)
    assert end_of(life, T + 30 * MINUTE - timedelta(microseconds=1)) is None
    assert end_of(life, T + 30 * MINUTE) is End.IDLE
    assert ends_at(life) == T + 30 * MINUTE


def test_what_a_person_does_puts_the_end_off() -> None:
    life = seen(begin(T), T + 29 * MINUTE, polling=False)
    assert end_of(life, T + 58 * MINUTE) is None
    assert end_of(life, T + 59 * MINUTE) is End.IDLE


def test_polling_is_no_activity() -> None:
    life = begin(T)
    for minute in range(1, 30):
        life = seen(life, T + minute * MINUTE, polling=True)
    assert end_of(life, T + 30 * MINUTE) is End.IDLE


def test_twelve_hours_whatever_happens() -> None:
    life = begin(T)
    for minute in range(0, 12 * 60, 10):
        life = seen(life, T + minute * MINUTE, polling=False)
    assert end_of(life, T + timedelta(hours=12) - MINUTE) is None
    assert end_of(life, T + timedelta(hours=12)) is End.ABSOLUTE
    assert ends_at(life) == T + timedelta(hours=12)


def test_a_request_never_revives_what_is_over() -> None:
    life = seen(begin(T), T + 31 * MINUTE, polling=False)
    assert end_of(life, T + 31 * MINUTE) is End.IDLE


def test_a_clock_set_back_puts_nothing_off() -> None:
    life = seen(seen(begin(T), T + 10 * MINUTE, polling=False), T + MINUTE, polling=False)
    assert ends_at(life) == T + 40 * MINUTE
