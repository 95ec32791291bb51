"""Walks through a stranger's folders: bounded, medical names first, and only numbers are left.

How a folder is listed is each protocol's client's business. Names live as long as the walk; no
file is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from serment.core.exposure.filenames import OTHER, classify, sounds_medical
from serment.core.exposure.findings import COUNTED_TO, Readable, Unit
from serment.core.masked import Masked

DEPTH: Final = 2  # folders below the first
FOLDERS: Final = 12  # listed in one walk
ENTRIES: Final = 2000  # looked at in one folder
_NEITHER: Final = frozenset({"", ".", ".."})

K = TypeVar("K")


class Refused(Exception):
    """This folder, share or module is not shown to us."""


@dataclass(frozen=True, slots=True)
class Entry(Generic[K]):
    """A name in a folder, which may be a patient's: it prints masked. `inside` is how to list it, None for
    what is not a folder."""

    name: Masked[str]
    inside: K | None = field(default=None, repr=False)  # a way, which holds the name too


@dataclass(slots=True)
class Tally:
    """Files by class, over as many folders as were listed."""

    listed: dict[str, int] = field(default_factory=dict)
    more: bool = False  # there were more names than were looked at

    @property
    def readable(self) -> Readable | None:
        """The files that look like health data, and those beside them whose names tell nothing; None
        when no name tells anything."""
        if not self.listed.keys() - {OTHER}:
            return None
        total = sum(self.listed.values())
        return Readable(min(total, COUNTED_TO), self.more or total > COUNTED_TO, Unit.FILES)

    def add(self, name: str) -> None:
        """Count a file's name if it has a class."""
        if kind := classify(name):
            self.listed[kind] = self.listed.get(kind, 0) + 1


def walk(
    root: K, show: Callable[[K], Iterable[Entry[K]]], tally: Tally, depth: int = DEPTH
) -> Iterator[None]:
    """List `root` and what is below, breadth first; yields after each folder that was shown.

    A folder that `show` refuses is passed over; what else it raises ends the walk.
    """
    level = [root]
    left = FOLDERS
    for _ in range(depth + 1):
        below: list[tuple[bool, K]] = []
        for folder in level[:left]:
            try:
                below += _look(show(folder), tally)
            except Refused:
                continue
            yield
        tally.more = tally.more or len(level) > left
        left -= min(left, len(level))
        level = [inside for _, inside in sorted(below, key=lambda each: not each[0])]
        if not level or not left:
            return


def _look(entries: Iterable[Entry[K]], tally: Tally) -> list[tuple[bool, K]]:
    """Count the files; the folders, with whether their names are medical."""
    below = []
    for number, entry in enumerate(entries):
        if number >= ENTRIES:
            tally.more = True
            break
        name = entry.name.reveal()
        if name in _NEITHER:
            continue
        if entry.inside is None:
            tally.add(name)
        else:
            below.append((sounds_medical(name), entry.inside))
    return below
