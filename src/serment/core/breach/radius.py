"""The blast radius of a breach: read, readable, unintelligible, for each patient and category.

Takes the rows of the journal one by one, then answers. Each row is looked at once; most are not
even parsed. What each vector opens is decided in `ways`, what a key leads to in `reach`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from serment.core.access.strength import Strength
from serment.core.breach.evidence import Evidence, Fact, Findings
from serment.core.breach.examination import Examination
from serment.core.breach.exposure import Category, Exposure
from serment.core.breach.tally import Numbers, Tally
from serment.core.breach.vectors import Vector, has_files
from serment.core.breach.ways import Ways, ways_of
from serment.core.journal.entries import Entry, EventKind, LoggedEntry
from serment.core.journal.keystate import change_in, change_of
from serment.core.journal.log import Glance, glance_at, parse_entry, written_at
from serment.core.journal.verify import Verdict
from serment.errors import FormatError

_KINDS = {kind.value.encode(): kind for kind in EventKind}
_MEMBER = b'["member-seed"'


@dataclass(frozen=True, slots=True)
class Metadata:
    """What stays readable without any key (docs/threat-model.md, the exact list): whether the
    vector gives it, and of how many."""

    readable: bool
    patients: int
    envelopes: int
    objects: int
    members: int
    entries: int


@dataclass(frozen=True, slots=True)
class Trust:
    """What the answer rests on. `complete_since`: accesses before it have expired."""

    entries: int
    whole: bool
    first_bad: int | None
    expired: int
    unreadable: int
    complete_since: datetime | None


@dataclass(frozen=True, slots=True)
class Radius:
    """The answer; `tally` has the ids."""

    vectors: tuple[Vector, ...]
    numbers: Numbers
    metadata: Metadata
    evidence: tuple[Evidence, ...]
    weakest: Strength | None
    trust: Trust
    tally: Tally

    @property
    def harmless(self) -> bool:
        """Whether nothing was read or readable, as far as a whole journal proves it."""
        found = self.numbers.patients + self.numbers.unfiled
        return self.trust.whole and not (found[Exposure.READ] or found[Exposure.READABLE])

    def ids(self, found: Exposure) -> Iterator[str]:
        """Random ids of the patients of whom that is the worst."""
        return self.tally.ids(found)


class Inquiry:
    """One question, of one or several vectors at once."""

    def __init__(self, vectors: Sequence[Vector]) -> None:
        self._examinations = [Examination(vector) for vector in vectors]
        self._expired = self._unreadable = 0
        self._since: datetime | None = None

    def feed(self, row: LoggedEntry) -> None:
        """The next row. One that cannot be read is counted: whether the log is whole is for
        `verify` to say."""
        if not isinstance(row.body, bytes):
            self._expired += 1
            return
        try:
            self._look(row.index, row.body)
        except FormatError:
            self._unreadable += 1

    def _look(self, index: int, body: bytes) -> None:
        glance, entry = glance_at(body), None
        kind = _KINDS.get(glance.kind) if glance is not None else None
        if glance is None or kind is None or not glance.at.endswith(b"+00:00"):
            entry = parse_entry(body)
            kind, glance = entry.kind, _glance_of(entry)
        wanting = [e for e in self._examinations if e.wants(kind, glance, body)]
        if wanting or _MEMBER in body or kind is EventKind.EXPIRED:
            entry = entry or parse_entry(body)
        change = change_in(body, glance.at) if entry is None else change_of(entry)
        if change is not None and (change.made or change.deleted):
            for examination in self._examinations:
                examination.follow(index, change, entry)
        if entry is not None:
            for examination in wanting:
                examination.feed(index, entry)
            if kind is EventKind.EXPIRED:
                self._note_expired(entry)

    def _note_expired(self, entry: Entry) -> None:
        before = entry.details.get("before")
        if isinstance(before, str) and entry.details.get("count"):
            limit = datetime.fromisoformat(before)
            self._since = limit if self._since is None else max(limit, self._since)

    def conclude(self, verdict: Verdict) -> Radius:
        """The answer. `verdict`: what `verify` says of the same rows.

        Raises:
            NotFound: nothing ever crossed a listener that was named.
        """
        tally, findings = Tally(), Findings()
        ways = [ways_of(each, self._since) for each in self._examinations]
        members = max(_members(each) for each in self._examinations)
        for examination, way in zip(self._examinations, ways, strict=True):
            examination.add_to(tally, way.known, way.passed)
        numbers = tally.numbers()
        self._tell(findings, numbers, verdict)
        return Radius(
            tuple(each.vector for each in self._examinations),
            numbers,
            self._metadata(numbers, members),
            tuple(
                [e for each in self._examinations for e in each.findings.evidence()]
                + findings.evidence()
            ),
            _weakest(ways),
            Trust(
                verdict.entries,
                verdict.ok,
                verdict.first_bad,
                self._expired,
                self._unreadable,
                self._since,
            ),
            tally,
        )

    def _tell(self, findings: Findings, numbers: Numbers, verdict: Verdict) -> None:
        findings.note(Fact.FILING_TODAY, count=numbers.patients.total())
        if numbers.unfiled.total():
            findings.note(Fact.UNFILED, count=numbers.unfiled.total())
        if self._unreadable:
            findings.note(Fact.UNREADABLE, count=self._unreadable)
        if verdict.ok:
            findings.note(Fact.WHOLE, count=verdict.entries)
        else:
            findings.note(Fact.NOT_WHOLE, verdict.first_bad, number=verdict.first_bad)

    def _metadata(self, numbers: Numbers, members: int) -> Metadata:
        told = numbers.categories
        return Metadata(
            any(has_files(each.vector) for each in self._examinations),
            numbers.patients.total(),
            sum(amount.envelopes for amount in told[Category.IDENTITY].values()),
            sum(a.objects for amounts in told.values() for a in amounts.values()),
            members,
            max(each.entries for each in self._examinations),
        )


def _members(found: Examination) -> int:
    return len({w.subject for w in found.keys.tops if w.recipient.startswith("password:")})


def _weakest(ways: Sequence[Ways]) -> Strength | None:
    return min((w.weakest for w in ways if w.weakest), key=lambda s: s.order, default=None)


def _glance_of(entry: Entry) -> Glance:
    return Glance(entry.kind.value.encode(), written_at(entry.at), entry.actor.encode())
