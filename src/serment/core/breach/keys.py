"""The wraps that existed at an instant, or at some instant of a span: small enough for a million.

Rebuilt from the changes that `core.journal.keystate` reads off the entries; who reaches what is
decided in `reach`. Ids are numbers here, and whoever holds the same keys as thousands of others is
kept once. Filing follows the whole log: an envelope belongs to the patient it was last filed with.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from serment.core.breach.reach import Holder, reached
from serment.core.journal.keystate import Change, WrapName
from serment.core.records.vault import EnvelopeKind, WrapKind

Group = frozenset[Holder]
NOBODY: Group = frozenset()
PATIENT, COMPARTMENT = "patient:", "compartment:"
ABOVE = (PATIENT, COMPARTMENT)
ENVELOPE = len("envelope:")
SEED, IDENTITY = WrapKind.ENVELOPE_SEED.value, WrapKind.ENVELOPE_IDENTITY.value
ENVELOPES = frozenset({SEED, IDENTITY})
TOPS = frozenset({WrapKind.MEMBER_SEED.value, WrapKind.CIRCLE_SEED.value})


def number(subject: str) -> int:
    """The random id in a name, as a number.

    >>> number("patient:0f")
    15
    """
    return int(subject[subject.index(":") + 1 :], 16)


@dataclass(slots=True)
class Arrived:
    """One envelope: who holds its two keys, directly or through its patient's; what it is."""

    seed: Group = NOBODY
    compartment: int | None = None
    identity: Group = NOBODY
    above: int | None = None  # the patient whose identity key holds its identity header key
    patient: int | None = None  # whom it is filed with today
    kind: EnvelopeKind = EnvelopeKind.IMAGE
    objects: int = 0

    @property
    def is_there(self) -> bool:
        """Whether anything leads to it at all."""
        held = self.seed or self.identity
        return bool(held) or self.compartment is not None or self.above is not None


class Keys:
    """Fed with changes in the order of the log."""

    def __init__(self, start: datetime, end: datetime, lag: timedelta = timedelta()) -> None:
        """`lag`: how long a deleted wrap may still stand in a copy of the keys."""
        self._start, self._end, self._lag = start, end, lag
        self._tops: set[WrapName] = set()
        self.patients: dict[int, Group] = {}
        self.compartments: dict[int, Group] = {}
        self.envelopes: dict[int, Arrived] = {}
        self._parents = {
            WrapKind.PATIENT_IDENTITY.value: self.patients,
            WrapKind.PATIENT_CLINICAL.value: self.compartments,
        }
        # Of an envelope under two patients, which a span can have: the second and further ones.
        self._also: defaultdict[tuple[str, int], set[int]] = defaultdict(set)
        self._groups: dict[tuple[Group, str, int, bool], Group] = {}
        self._known: dict[Group, Group] = {}
        self._deleted: deque[tuple[datetime, WrapName]] = deque()

    def apply(self, change: Change) -> None:
        """Follow one entry; what happened after the end changes filing only."""
        if change.at <= self._end:
            for name in change.made:
                self._set(name, True)
            if change.at <= self._start:
                for name in change.deleted:
                    self._set(name, False)
                self._remember(change)
        self._refile(change)

    def settle(self, last: datetime) -> None:
        """At the end of the log: what was deleted shortly before the `last` entry that counts may
        still have been there."""
        for at, name in self._deleted:
            if at >= last - self._lag:
                self._set(name, True)
        self._deleted.clear()

    def describe(
        self, envelope: int, kind: EnvelopeKind | None = None, objects: int | None = None
    ) -> None:
        """What else is known of an envelope that is here."""
        found = self.envelopes.get(envelope)
        if found is not None:
            found.kind = found.kind if kind is None else kind
            found.objects = found.objects if objects is None else objects

    @property
    def tops(self) -> Collection[WrapName]:
        """The wraps of members' and circles' seeds."""
        return self._tops

    def opened_by(self, known: Collection[str]) -> Opened:
        """What those secrets lead to."""
        return Opened(self, known, self._also)

    # One wrap

    def _set(self, name: WrapName, there: bool) -> None:
        kind = name.kind
        if kind in ENVELOPES:
            self._set_envelope(name, there)
        elif kind in self._parents:
            self._set_parent(self._parents[kind], name, there)
        elif kind in TOPS:
            (self._tops.add if there else self._tops.discard)(name)

    def _set_parent(self, parents: dict[int, Group], name: WrapName, there: bool) -> None:
        key = int(name.subject[name.subject.index(":") + 1 :], 16)
        group = self._changed(parents.get(key, NOBODY), name, there)
        if group:
            parents[key] = group
        else:
            parents.pop(key, None)

    def _set_envelope(self, name: WrapName, there: bool) -> None:
        key = int(name.subject[ENVELOPE:], 16)
        envelope = self.envelopes.get(key)
        if envelope is None:
            envelope = self.envelopes[key] = Arrived()
        above = name.recipient.startswith(ABOVE)
        if name.kind == SEED:
            if above:
                envelope.compartment = self._under(envelope.compartment, name, there)
            else:
                envelope.seed = self._changed(envelope.seed, name, there)
        elif above:
            envelope.above = self._under(envelope.above, name, there)
        else:
            envelope.identity = self._changed(envelope.identity, name, there)

    def _under(self, now: int | None, name: WrapName, there: bool) -> int | None:
        parent, also = number(name.recipient), (name.kind, number(name.subject))
        if there:
            if now is not None and now != parent:
                self._also[also].add(parent)
                return now
            return parent
        if also in self._also:
            self._also[also].discard(parent)
        return None if now == parent else now

    def _changed(self, group: Group, name: WrapName, there: bool) -> Group:
        """The group with or without a holder: the same object for all who have the same."""
        key = (group, name.recipient, name.epoch, there)
        found = self._groups.get(key)
        if found is None:
            holder = Holder(name.recipient, name.epoch)
            made = group | {holder} if there else group - {holder}
            found = self._groups[key] = self._known.setdefault(made, made)
        return found

    def _remember(self, change: Change) -> None:
        if not self._lag:
            return
        self._deleted.extend((change.at, name) for name in change.deleted)
        while self._deleted and self._deleted[0][0] < change.at - self._lag:
            self._deleted.popleft()

    def _refile(self, change: Change) -> None:
        for name in change.made:
            if name.kind == IDENTITY:
                envelope = self.envelopes.get(number(name.subject))
                if envelope is not None:
                    filed = name.recipient.startswith(PATIENT)
                    envelope.patient = number(name.recipient) if filed else None


class Opened:
    """What some secrets lead to, asked of each thing."""

    def __init__(
        self, keys: Keys, known: Collection[str], also: dict[tuple[str, int], set[int]]
    ) -> None:
        self._keys, self._known = keys, known
        self._also = {key: parents for key, parents in also.items() if parents}
        self.secrets = reached(keys.tops, known)
        self._groups: dict[Group, bool] = {NOBODY: False}

    def patient(self, patient: int) -> bool:
        """The patient's identity record."""
        return self._group(self._keys.patients.get(patient, NOBODY))

    def compartment(self, compartment: int) -> bool:
        return self._group(self._keys.compartments.get(compartment, NOBODY))

    def content(self, key: int, envelope: Arrived) -> bool:
        """The envelope's objects and clinical headers."""
        above = envelope.compartment
        return (
            self._group(envelope.seed)
            or (above is not None and self.compartment(above))
            or any(map(self.compartment, self._more(SEED, key)))
        )

    def identity(self, key: int, envelope: Arrived) -> bool:
        """The envelope's administrative headers; its objects carry the same."""
        return (
            self._group(envelope.identity)
            or (envelope.above is not None and self.patient(envelope.above))
            or any(map(self.patient, self._more(IDENTITY, key)))
        )

    def _more(self, kind: str, key: int) -> Collection[int]:
        return self._also.get((kind, key), ()) if self._also else ()

    def _group(self, group: Group) -> bool:
        found = self._groups.get(group)
        if found is None:
            found = any(h in self.secrets or h.name in self._known for h in group)
            self._groups[group] = found
        return found
