"""What came, as entries say: of which kind each arrival's objects are, and whom it is filed with today.

The same for every way a breach can go. As `changes`, it reads the usual entry by one pattern and any
other as JSON.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple, TypeGuard

from serment.core.breach.changes import IDENTITY, Told
from serment.core.breach.exposure import CATEGORY, Category
from serment.core.breach.numbering import Ids, column, raw_id, stretch
from serment.core.journal.entries import Entry

CONTENTS = tuple(CATEGORY.values())  # in the order of the columns
_KINDS = tuple(kind.value for kind in CATEGORY)
_PLACES = {kind: place for place, kind in enumerate(_KINDS)}
_WRITTEN = {kind.encode(): place for kind, place in _PLACES.items()}
_BEGUN = re.compile(
    rb'"details":\{"circle":"([^"\\]*)","envelope":"([0-9a-f]{32})","kind":"([a-z]+)","local":"([^"\\]*)"'
)
_WAY = re.compile(rb',"source":"([^"\\]*)","tls":(true|false),"wraps_made":\[')
_ONE = re.compile(  # an envelope alone, whose objects are all of one kind
    rb'"details":\{"envelopes":\{"([0-9a-f]{32})":\{"kinds":\{"([a-z]+)":([0-9]{1,9})\},'
    rb'"objects":\3,"root":"[0-9a-f]{64}"\}\},"local":'
)
_ENVELOPES = re.compile(rb'"details":\{"envelopes":\{([^\\]*?)\}\},"local":')
_ENVELOPE = re.compile(
    rb'("([0-9a-f]{32})":\{"kinds":\{((?:"[a-z]+":[0-9]{1,9},?)*)\},"objects":([0-9]{1,9}),'
    rb'"root":"[0-9a-f]{64}"(?:\},)?)'
)
_KIND = re.compile(rb'"([a-z]+)":([0-9]+)')
_FORMS = 1000  # of lists of kinds kept


Counts = tuple[int, ...]


class Begun(NamedTuple):
    """An envelope was opened, or another header came for it (`kind` "")."""

    envelope: int
    kind: str
    source: object
    local: object
    tls: bool


class Ended(NamedTuple):
    """What came in an envelope: `counts` by kind, in the order of `CONTENTS`, None where the entry
    does not say."""

    envelope: int
    objects: int
    counts: Counts | None


class Arrivals:
    """Fed with the entries about receptions, and with the changes of keys."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._kind = column()  # place in CONTENTS
        self._patient = column()  # one more than the number, 0: filed with nobody
        self._objects: tuple[array[int], ...] = tuple(column() for _ in CONTENTS)
        self._begun_by = column()  # one more than the number of the entry, 0: of none
        self._circle = column()  # place in the list of circles
        self._circles: dict[str, int] = {}
        self._unsorted: set[int] = set()  # envelopes whose objects' kinds no entry says
        self._forms: dict[bytes, Counts] = {}

    # What entries say

    def begun(
        self, index: int, body: bytes, entry: Callable[[], Entry], heard: bool
    ) -> Begun | None:
        """An entry that opens an envelope; None when it names none, or when nobody `heard` it."""
        found = _BEGUN.search(body)
        if found is not None and not heard:
            place = _WRITTEN.get(found[3])
            if place is not None:
                number = self._ids.envelopes.written(found[2])
                self._stretch()
                self._kind[number] = place
                self._sealed(number, found[1].decode(), index)
                return None
        way = found and _WAY.search(body, found.end())
        if not found or not way:
            return self._begun_plainly(index, entry())
        circle, envelope, kind, local = found.groups()
        source, tls = way.groups()
        number = self._ids.envelopes.written(envelope)
        begun = Begun(number, kind.decode(), source.decode(), local.decode(), tls == b"true")
        self._begin(begun)
        self._sealed(number, circle.decode(), index)
        return begun

    def _begun_plainly(self, index: int, entry: Entry) -> Begun | None:
        details, raw = entry.details, raw_id(entry.details.get("envelope"))
        if raw is None:
            return None
        begun = Begun(
            self._ids.envelopes.of(raw),
            str(details.get("kind", "")),
            details.get("source"),
            details.get("local"),
            bool(details.get("tls")),
        )
        self._begin(begun)
        if "circle" in details:  # not in what tells of another header: no key is made then
            self._sealed(begun.envelope, str(details["circle"]), index)
        return begun

    def _sealed(self, envelope: int, circle: str, index: int) -> None:
        self._begun_by[envelope] = index + 1
        self._circle[envelope] = self._circles.setdefault(circle, len(self._circles))

    def _begin(self, begun: Begun) -> None:
        self._stretch()
        place = _PLACES.get(begun.kind)
        if place is not None:
            self._kind[begun.envelope] = place

    def ended(self, body: bytes, entry: Callable[[], Entry]) -> list[Ended]:
        """What an entry says that ends receptions, or counts again what they brought."""
        one = _ONE.search(body)
        if one is not None and one[2] in _WRITTEN:
            return [self._end(*one.groups())]
        found = _ENVELOPES.search(body)
        ended = self._ended(found[1]) if found else None
        if ended is None:
            ended = list(self._ended_plainly(entry()))
        self._stretch()
        for each in ended:
            self._count(*each)
        return ended

    def _end(self, name: bytes, kind: bytes, objects: bytes) -> Ended:
        ended = Ended(self._ids.envelopes.written(name), int(objects), None)
        self._stretch()
        place = _WRITTEN[kind]
        for at, counts in enumerate(self._objects):
            counts[ended.envelope] = ended.objects if at == place else 0
        self._unsorted.discard(ended.envelope)
        return ended

    def _ended(self, text: bytes) -> list[Ended] | None:
        """None when any of it is not written as usual."""
        found = _ENVELOPE.findall(text)
        if sum([len(one[0]) for one in found]) != len(text):
            return None
        written = self._ids.envelopes.written
        return [Ended(written(name), int(n), self._counts(kinds)) for _, name, kinds, n in found]

    def _counts(self, text: bytes) -> Counts:
        found = self._forms.get(text)
        if found is None:
            if len(self._forms) >= _FORMS:
                self._forms.clear()
            found = _counts_of({kind.decode(): int(n) for kind, n in _KIND.findall(text)})
            self._forms[text] = found
        return found

    def _ended_plainly(self, entry: Entry) -> Iterable[Ended]:
        came = entry.details.get("envelopes")
        for name, what in came.items() if isinstance(came, dict) else ():
            raw = raw_id(name)
            if raw is None:
                continue
            said = what if isinstance(what, dict) else {}
            objects, kinds = said.get("objects"), said.get("kinds")
            if _is_count(objects):
                counts = _counts_of(kinds) if isinstance(kinds, dict) else None
                yield Ended(self._ids.envelopes.of(raw), objects, counts)

    def _count(self, envelope: int, objects: int, counts: Counts | None) -> None:
        """What no entry says the kind of counts as what came first."""
        if counts is not None:
            self._unsorted.discard(envelope)
            for column_, count in zip(self._objects, counts, strict=True):
                column_[envelope] = count
        unsaid = objects - (self.objects(envelope) if counts is None else sum(counts))
        if unsaid > 0:
            self._objects[self._kind[envelope]][envelope] += unsaid
            self._unsorted.add(envelope)

    def follow(self, told: Told) -> None:
        """Filing: an envelope belongs to the patient it was last filed with."""
        self._stretch()
        for kind, envelope, parent, _ in told.made:
            if kind == IDENTITY:
                self._patient[envelope] = parent + 1

    def _stretch(self) -> None:
        if len(self._ids.envelopes) > len(self._kind):
            columns = (self._kind, self._patient, self._begun_by, self._circle)
            for each in (*columns, *self._objects):
                stretch(each, len(self._ids.envelopes))

    # What is known in the end

    def is_sorted(self, envelope: int) -> bool:
        """Whether entries say of what kind each of its objects is."""
        return envelope not in self._unsorted

    def patient(self, envelope: int) -> int | None:
        """Whom it is filed with today."""
        return self._patient[envelope] - 1 if self._patient[envelope] else None

    def between(self, first: int, last: int, circle: str | None) -> Iterator[tuple[int, int]]:
        """Those begun after the one entry and before the other, for that circle or for any; each
        with the entry that began it."""
        wanted = None if circle is None else self._circles.get(circle, -1)
        for envelope in range(len(self._ids.envelopes)):
            index = self._begun_by[envelope] - 1
            if first < index < last and wanted in (None, self._circle[envelope]):
                yield envelope, index

    def objects(self, envelope: int) -> int:
        """How many of all kinds, as far as is known by now."""
        self._stretch()
        return sum(counts[envelope] for counts in self._objects)

    def contents(self, envelope: int) -> dict[Category, int]:
        """How many objects of which category; the kind it was opened for, without objects yet."""
        found = {
            category: counts[envelope]
            for category, counts in zip(CONTENTS, self._objects, strict=True)
            if counts[envelope]
        }
        return found or {CONTENTS[self._kind[envelope]]: 0}


def _counts_of(kinds: Mapping[str, object]) -> Counts:
    found = (kinds.get(kind) for kind in _KINDS)
    return tuple(count if _is_count(count) else 0 for count in found)


def _is_count(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 <= value <= 999_999_999
