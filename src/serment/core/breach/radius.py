"""The blast radius of a breach: read, readable, unintelligible, for each patient and category.

Takes the rows of the journal one by one, then answers. Each row is looked at once; most are not
even parsed. What each vector opens is decided in `ways`, what a key leads to in `reach`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from serment.core.access.strength import Strength
from serment.core.breach.arrivals import Arrivals
from serment.core.breach.changes import ChangeReader, Told
from serment.core.breach.evidence import DOUBTS, Evidence, Fact, Findings
from serment.core.breach.examination import ENDINGS, Examination
from serment.core.breach.exchanges import TOLD_BY, Exchanges
from serment.core.breach.exposure import Category, Exposure
from serment.core.breach.groups import Groups
from serment.core.breach.judgement import Judge
from serment.core.breach.numbering import Ids
from serment.core.breach.tally import Sums, Tally
from serment.core.breach.vectors import Listener, Server, Vector, has_files
from serment.core.breach.ways import Ways, share, ways_of
from serment.core.journal.entries import Entry, EventKind, LoggedEntry
from serment.core.journal.log import Glance, glance_at, parse_entry, written_at
from serment.core.journal.verify import Verdict
from serment.errors import N_, FormatError

_KINDS = {kind.value.encode(): kind for kind in EventKind}


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
    numbers: Sums
    metadata: Metadata
    evidence: tuple[Evidence, ...]
    weakest: Strength | None
    trust: Trust
    tally: Tally

    @property
    def harmless(self) -> bool:
        """Whether nothing was read or readable, and no doubt is left (`evidence.DOUBTS`)."""
        found = self.numbers.patients + self.numbers.unfiled
        doubtful = any(each.fact in DOUBTS for each in self.evidence)
        return not (found[Exposure.READ] or found[Exposure.READABLE] or doubtful)

    def ids(self, found: Exposure) -> Iterator[str]:
        """Random ids of the patients of whom that is the worst."""
        return self.tally.ids(found)


class Inquiry:
    """One question, of one or several vectors at once."""

    def __init__(self, vectors: Sequence[Vector]) -> None:
        self._ids, self._groups = Ids(), Groups()
        self._arrivals = Arrivals(self._ids)
        self._changes = ChangeReader(self._ids, self._groups)
        self._exchanges = Exchanges(self._arrivals)
        self._examinations = [
            Examination(vector, self._ids, self._groups, self._arrivals) for vector in vectors
        ]
        self._heard = any(isinstance(vector, Server | Listener) for vector in vectors)
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
        told = self._changes.read(body)
        wanting = [e for e in self._examinations if e.wants(kind, glance, body)]
        everybodys = kind in TOLD_BY or kind is EventKind.EXPIRED
        if wanting or everybodys or (told is not None and told.tops_made):
            entry = entry or parse_entry(body)
        if told is not None:
            self._follow(index, glance.at, told, entry)
        if kind is EventKind.RECEPTION_OPENED or kind in ENDINGS:
            self._look_at_reception(index, kind, glance.at, body)
        if entry is not None:
            for examination in wanting:
                examination.feed(index, entry)
            if kind is EventKind.EXPIRED:
                self._note_expired(entry)
            if kind in TOLD_BY:
                self._exchanges.feed(index, entry)

    def _follow(self, index: int, at: bytes, told: Told, entry: Entry | None) -> None:
        """What it tells of keys."""
        self._arrivals.follow(told)
        when = _moment(at)
        for examination in self._examinations:
            examination.follow(index, when, told, entry)

    def _look_at_reception(self, index: int, kind: EventKind, at: bytes, body: bytes) -> None:
        read = partial(parse_entry, body)
        if kind is EventKind.RECEPTION_OPENED:
            begun = self._arrivals.begun(index, body, read, self._heard)
            if begun is not None:
                for examination in self._examinations:
                    examination.begun(index, at, begun)
            return
        ended = self._arrivals.ended(body, read)
        for examination in self._examinations:
            examination.ended(at, ended)

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
        findings = Findings()
        ways = [ways_of(each, self._since) for each in self._examinations]
        share(self._examinations, ways)
        for found, his in zip(self._examinations, ways, strict=True):
            self._exchanges.judge(found, his)
        members = max(_members(each) for each in self._examinations)
        judges = list(map(self._judge, self._examinations, ways))
        tally = Tally(judges, self._arrivals, self._ids)
        numbers = tally.sums
        self._tell(findings, tally, verdict)
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

    def _judge(self, found: Examination, ways: Ways) -> Judge:
        opened = found.keys.opened_by(frozenset(ways.known))
        return Judge(found.keys, opened, found.shown, self._arrivals, ways.passed)

    def _tell(self, findings: Findings, tally: Tally, verdict: Verdict) -> None:
        numbers = tally.sums
        findings.note(Fact.FILING_TODAY, count=numbers.patients.total())
        if numbers.unfiled.total():
            findings.note(Fact.UNFILED, count=numbers.unfiled.total())
        if tally.unsorted:
            findings.note(Fact.KINDS_UNKNOWN, count=tally.unsorted)
        if self._unreadable:
            findings.note(Fact.UNREADABLE, count=self._unreadable)
        if verdict.ok:
            findings.note(Fact.WHOLE, count=verdict.entries)
        else:
            findings.note(Fact.NOT_WHOLE, verdict.first_bad, number=verdict.first_bad)

    def _metadata(self, numbers: Sums, members: int) -> Metadata:
        told = numbers.categories
        return Metadata(
            any(has_files(each.vector) for each in self._examinations),
            numbers.patients.total(),
            sum(amount.envelopes for amount in told[Category.IDENTITY].values()),
            sum(a.objects for amounts in told.values() for a in amounts.values()),
            members,
            max(each.entries for each in self._examinations),
        )


def _moment(at: bytes) -> datetime:
    try:
        return datetime.fromisoformat(at.decode())
    except ValueError as error:
        raise FormatError(N_("an entry of the journal cannot be read")) from error


def _members(found: Examination) -> int:
    return len({w.subject for w in found.keys.tops if w.recipient.startswith("password:")})


def _weakest(ways: Sequence[Ways]) -> Strength | None:
    return min((w.weakest for w in ways if w.weakest), key=lambda s: s.order, default=None)


def _glance_of(entry: Entry) -> Glance:
    return Glance(entry.kind.value.encode(), written_at(entry.at), entry.actor.encode())
