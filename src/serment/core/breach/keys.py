"""The wraps that existed at an instant, or at some instant of a span: a few numbers for each thing.

Fed with what `changes` reads off the entries; who reaches what is decided in `reach`. Ids and sets of
holders are numbers here, in columns, so that a million patients fit into memory.
"""

from __future__ import annotations

from array import array
from collections import defaultdict, deque
from collections.abc import Collection
from datetime import datetime, timedelta

from serment.core.breach.changes import COMPARTMENT, IDENTITY, NO_PARENT, PATIENT, SEED, Run, Told
from serment.core.breach.groups import Groups
from serment.core.breach.numbering import Ids, column, stretch
from serment.core.breach.reach import reached
from serment.core.journal.keystate import WrapName


class Keys:
    """Fed with changes in the order of the log."""

    def __init__(
        self,
        ids: Ids,
        groups: Groups,
        start: datetime,
        end: datetime,
        lag: timedelta = timedelta(),
    ) -> None:
        """`lag`: how long a deleted wrap may still stand in a copy of the keys."""
        self._ids, self._groups = ids, groups
        self._start, self._end, self._lag = start, end, lag
        # Since when a damaged database stands beside the one that was restored, with all it had.
        self.aside: datetime | None = None
        self._tops: set[WrapName] = set()
        # The group that holds each key directly; for an envelope's also one more than the number of
        # the compartment or patient whose key leads to it, 0 without.
        self.held: dict[str, array[int]] = {
            kind: column() for kind in (SEED, IDENTITY, PATIENT, COMPARTMENT)
        }
        self.above: dict[str, array[int]] = {SEED: column(), IDENTITY: column()}
        # Of an envelope under two patients, which a span can have: the second and further ones.
        self.also: defaultdict[tuple[str, int], set[int]] = defaultdict(set)
        self._deleted: deque[tuple[datetime, list[Run], list[WrapName]]] = deque()

    def apply(self, at: datetime, told: Told) -> None:
        """Follow one entry; what happened after the end changes nothing here."""
        if at > self._end:
            return
        self._stretch()
        self._set(told.made, True)
        self._tops.update(told.tops_made)
        if at <= self._start:
            self._set(told.deleted, False)
            self._tops.difference_update(told.tops_deleted)
            self._remember(at, told)

    def settle(self, last: datetime) -> None:
        """At the end of the log: what was deleted shortly before the `last` entry that counts, or
        since a damaged database was put aside, may still have been there."""
        for at, runs, tops in self._deleted:
            if at >= self.kept_since(last):
                self._set(runs, True)
                self._tops.update(tops)
        self._deleted.clear()

    def kept_since(self, last: datetime) -> datetime:
        """What was deleted from then on, up to `last`, some file may still have held."""
        return min(last - self._lag, self.aside or last)

    @property
    def tops(self) -> Collection[WrapName]:
        """The wraps of members' and circles' seeds."""
        return self._tops

    def opened_by(self, known: Collection[str]) -> Opened:
        """What those secrets lead to, after the last change."""
        self._stretch()
        return Opened(self, self._groups, known)

    def is_there(self, envelope: int) -> bool:
        """Whether anything leads to it at all."""
        return bool(
            self.held[SEED][envelope]
            or self.held[IDENTITY][envelope]
            or self.above[SEED][envelope]
            or self.above[IDENTITY][envelope]
        )

    def _stretch(self) -> None:
        ids = self._ids
        if len(ids.envelopes) > len(self.held[SEED]):
            for each in (*self.above.values(), self.held[SEED], self.held[IDENTITY]):
                stretch(each, len(ids.envelopes))
        if len(ids.patients) > len(self.held[PATIENT]):
            stretch(self.held[PATIENT], len(ids.patients))
        if len(ids.compartments) > len(self.held[COMPARTMENT]):
            stretch(self.held[COMPARTMENT], len(ids.compartments))

    def _set(self, runs: list[Run], there: bool) -> None:
        changed = self._groups.changed
        for kind, number, parent, group in runs:
            if parent == NO_PARENT:
                held = self.held[kind]
                held[number] = changed(held[number], group, there)
            else:
                self._set_above(kind, number, parent + 1, there)

    def _set_above(self, kind: str, number: int, parent: int, there: bool) -> None:
        above = self.above[kind]
        now = above[number]
        if there:
            if not now:
                above[number] = parent
            elif now != parent:
                self.also[kind, number].add(parent)
            return
        if (kind, number) in self.also:
            self.also[kind, number].discard(parent)
        if now == parent:
            others = self.also.get((kind, number))
            above[number] = others.pop() if others else 0

    def _remember(self, at: datetime, told: Told) -> None:
        if not self._lag:
            return
        if told.deleted or told.tops_deleted:
            self._deleted.append((at, told.deleted, told.tops_deleted))
        while self._deleted and self._deleted[0][0] < self.kept_since(at):
            self._deleted.popleft()


class Opened:
    """What some secrets lead to, asked of each thing by its number."""

    def __init__(self, keys: Keys, groups: Groups, known: Collection[str]) -> None:
        self._keys = keys
        self._also = {key: parents for key, parents in keys.also.items() if parents}
        secrets = reached(keys.tops, known)
        self._opens = [
            any(holder in secrets or holder.name in known for holder in members)
            for members in groups
        ]

    def patient(self, patient: int) -> bool:
        """The patient's identity record."""
        return self._opens[self._keys.held[PATIENT][patient]]

    def compartment(self, compartment: int) -> bool:
        return self._opens[self._keys.held[COMPARTMENT][compartment]]

    def content(self, envelope: int) -> bool:
        """The envelope's objects and clinical headers."""
        above = self._keys.above[SEED][envelope]
        return (
            self._opens[self._keys.held[SEED][envelope]]
            or (above > 0 and self.compartment(above - 1))
            or any(self.compartment(each - 1) for each in self._more(SEED, envelope))
        )

    def identity(self, envelope: int) -> bool:
        """The envelope's administrative headers; its objects carry the same."""
        above = self._keys.above[IDENTITY][envelope]
        return (
            self._opens[self._keys.held[IDENTITY][envelope]]
            or (above > 0 and self.patient(above - 1))
            or any(self.patient(each - 1) for each in self._more(IDENTITY, envelope))
        )

    def _more(self, kind: str, envelope: int) -> Collection[int]:
        return self._also.get((kind, envelope), ()) if self._also else ()
