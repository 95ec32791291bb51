"""When a session ends by itself: after 30 idle minutes, and after 12 hours whatever happens.

Wall-clock times are used on purpose: a laptop that sleeps must wake up locked, and the monotonic
clock of some systems stands still meanwhile. What counts as an act of a person is decided by the
entry points; watching for changes (polling, live updates) never does.

Source: PGSSI-S 4.5.2.3 (30 minutes).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)


class End(StrEnum):
    """Why a session is over."""

    IDLE = "idle"
    ABSOLUTE = "absolute"


@dataclass(frozen=True, slots=True)
class Lifetime:
    """When a session began and when a person last did something with it (aware UTC)."""

    began: datetime
    last_act: datetime


def begin(now: datetime) -> Lifetime:
    """A session that begins now."""
    return Lifetime(now, now)


def seen(lifetime: Lifetime, now: datetime, *, polling: bool) -> Lifetime:
    """After a request: only what a person did puts off the idle end, and nothing revives."""
    if polling or now <= lifetime.last_act or end_of(lifetime, now) is not None:
        return lifetime
    return replace(lifetime, last_act=now)


def ends_at(lifetime: Lifetime) -> datetime:
    """The instant at which it ends if nobody does anything more."""
    return min(lifetime.last_act + IDLE, lifetime.began + ABSOLUTE)


def end_of(lifetime: Lifetime, now: datetime) -> End | None:
    """Why the session is over at `now`, or None while it lives."""
    if now >= lifetime.began + ABSOLUTE:
        return End.ABSOLUTE
    return End.IDLE if now >= lifetime.last_act + IDLE else None
