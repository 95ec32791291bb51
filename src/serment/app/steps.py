"""Adds up what the pieces of one long work expect and have done, for whoever shows it."""

from __future__ import annotations

from serment.ports import Progress


class Steps:
    """Passed down to the pieces; without a `Progress` nobody is watching."""

    def __init__(self, progress: Progress | None = None) -> None:
        self._progress, self._expected = progress, 0

    def expect(self, count: int) -> None:
        """So many steps more than was known before."""
        self._expected += count
        if self._progress is not None and count:
            self._progress.total(self._expected)

    def done(self, count: int) -> None:
        if self._progress is not None:
            self._progress.step(count)
