"""A clock that stands still until it is told to go on: what tests and the demo set the time by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


class MemoryClock:
    """The `Clock` port. Starts at `start` (aware UTC)."""

    def __init__(self, start: datetime = _START) -> None:
        self._now = start
        self._elapsed = 0.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._elapsed

    def advance(self, seconds: float) -> None:
        """Let that much time pass."""
        self._now += timedelta(seconds=seconds)
        self._elapsed += seconds
