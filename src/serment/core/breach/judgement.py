"""What became of each patient and envelope by one way a breach went: shown, opened, or neither.

Puts together what the keys lead to (`keys`), what entries say was shown (`showings`) and what passed by
(`ways`); adding up is `tally`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from serment.core.breach.arrivals import Arrivals
from serment.core.breach.changes import PATIENT
from serment.core.breach.exposure import Category, Exposure
from serment.core.breach.keys import Keys, Opened
from serment.core.breach.showings import Showings


class Judged(NamedTuple):
    """An envelope: its administrative headers, its objects by category, and how many of those were
    read."""

    identity: Exposure
    contents: Mapping[Category, Exposure]
    read: Mapping[Category, int]


class Judge:
    """Of one vector; asked by numbers."""

    def __init__(
        self,
        keys: Keys,
        opened: Opened,
        shown: Showings,
        arrivals: Arrivals,
        passed: Mapping[int, Exposure],
    ) -> None:
        self._keys, self._opened = keys, opened
        self._shown, self._arrivals, self._passed = shown, arrivals, passed
        self._alike: dict[tuple[bool, bool, tuple[Category, ...]], Judged] = {}

    def patient(self, patient: int) -> Exposure:
        """The record of who it is."""
        if not self._keys.held[PATIENT][patient]:
            return Exposure.ABSENT
        return _exposed(self._opened.patient(patient), self._shown.has_patient(patient))

    def envelope(self, envelope: int) -> Judged | None:
        """None when it was not there."""
        if not self._keys.is_there(envelope):
            return None
        contents = self._arrivals.contents(envelope)
        if envelope not in self._passed and not self._shown.has(envelope):
            return self._only_held(envelope, tuple(contents))
        passed = self._passed.get(envelope, Exposure.ABSENT)
        read = dict(contents) if passed is Exposure.READ else {}
        if not read:
            read = self._shown.objects(envelope, contents)
        opens = self._opened.content(envelope)
        found = {
            category: max(passed, _exposed(opens, bool(read.get(category))))
            for category in contents
        }
        # An object carries the name and the identifiers of its patient, whatever sealed its header.
        header = _exposed(self._opened.identity(envelope), self._shown.has(envelope))
        return Judged(max(passed, header, *found.values()), found, read)

    def _only_held(self, envelope: int, categories: tuple[Category, ...]) -> Judged:
        """Where nothing was shown, all that matters is what opens."""
        opens = self._opened.content(envelope), self._opened.identity(envelope), categories
        found = self._alike.get(opens)
        if found is None:
            content = _exposed(opens[0], False)
            header = max(content, _exposed(opens[1], False))
            found = self._alike[opens] = Judged(header, dict.fromkeys(categories, content), {})
        return found


def _exposed(opens: bool, shown: bool) -> Exposure:
    if shown:
        return Exposure.READ
    return Exposure.READABLE if opens else Exposure.UNINTELLIGIBLE
