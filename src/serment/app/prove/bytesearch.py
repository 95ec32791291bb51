"""Searches every byte of some sources for planted identifiers, in every form they may have.

Decides what was found and what could not be searched; reading a directory is an adapter's work
(`adapters.files.walk`). Sources are read once, in order, with bounded memory; compressed streams
are inflated, up to a limit, and searched in turn.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from serment.app.prove.compressed import REACH, Beginning, beginnings
from serment.app.prove.forms import FOLD, SHORTEST, Form, Planted, forms_of
from serment.app.prove.windows import PADDING, Windows

BLOCK = 1 << 20  # bytes searched at once
DEPTH = 3  # compressed data inside compressed data
INFLATED = 1 << 32  # bytes that all compressed streams of a search may give
INFLATED_EACH = 1 << 28  # bytes that one of them may give
_PIECE = 1 << 14  # compressed bytes taken at once
_STEP = 1 << 15  # bytes inflated at once
_FOLLOWED = 64  # compressed streams followed at the same time

Source = tuple[str, Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an identifier was found. `inside` names the compressed streams on the way to it."""

    source: str
    offset: int
    form: str
    inside: str = ""


@dataclass(slots=True)
class Outcome:
    """What a search found. Keys of `found` are positions in the planted list."""

    searched: int = 0  # identifiers
    too_short: tuple[int, ...] = ()  # identifiers not searched: they would occur by chance
    sources: int = 0
    searched_bytes: int = 0  # of the sources, not counting what was inflated
    cut_streams: int = 0  # compressed streams not followed to their end
    found: dict[int, list[Place]] = field(default_factory=dict)


@dataclass(slots=True)
class _Run:
    """One search under way: what it found, which forms still matter, what may yet be inflated."""

    outcome: Outcome
    wanted: NDArray[np.bool_]
    following: int = 0  # compressed streams that go on
    inflated: int = 0  # bytes that they gave


class Search:
    """An index of planted identifiers, made once and used on any number of sources."""

    def __init__(
        self,
        planted: Sequence[Planted],
        places: int = 5,
        block_bytes: int = BLOCK,
        inflated_bytes: int = INFLATED_EACH,
    ) -> None:
        """`places` is how many places are noted for each identifier before it is left alone;
        `inflated_bytes` is how many bytes one compressed stream may give."""
        self._places = places
        self.block_bytes = block_bytes
        self.inflated_bytes = inflated_bytes
        by_identifier = [forms_of(number, each) for number, each in enumerate(planted)]
        self._too_short = tuple(n for n, forms in enumerate(by_identifier) if not forms)
        self._searched = len(planted) - len(self._too_short)
        self._first = [0, *accumulate(len(forms) for forms in by_identifier)]
        self._forms = [form for forms in by_identifier for form in forms]
        self._windows = Windows([form.folded for form in self._forms])
        longest = max((len(form.raw) for form in self._forms), default=0)
        self.overlap = max(longest, REACH)  # bytes kept from one block to the next

    def run(self, sources: Iterable[Source]) -> Outcome:
        """Read all sources and say where each identifier was found."""
        outcome = Outcome(self._searched, self._too_short)
        run = _Run(outcome, np.ones(len(self._forms), dtype=np.bool_))
        for label, chunks in sources:
            outcome.sources += 1
            stream = _Stream(self, run, label)
            for chunk in chunks:
                outcome.searched_bytes += len(chunk)
                stream.feed(chunk)
            stream.finish()
        return outcome

    def look(self, run: _Run, block: bytes, seen: int) -> Iterator[tuple[Form, int]]:
        """The forms in a block, each with its offset; those that end within its first `seen`
        bytes were found before."""
        folded = block.translate(FOLD) + bytes(PADDING)
        for number, at in self._windows.candidates(folded, run.wanted):
            form = self._forms[number]
            end = at + len(form.raw)
            if end > seen and run.wanted[number] and form.confirms(block[at:end]):
                yield form, at

    def note(self, run: _Run, form: Form, place: Place) -> None:
        """Remember a place; an identifier with enough of them is no longer searched."""
        places = run.outcome.found.setdefault(form.identifier, [])
        places.append(place)
        if len(places) >= self._places:
            run.wanted[self._first[form.identifier] : self._first[form.identifier + 1]] = False


class _Stream:
    """One source, or what a compressed stream inside it gives."""

    def __init__(
        self, search: Search, run: _Run, label: str, inside: str = "", depth: int = 0
    ) -> None:
        self._search, self._run = search, run
        self._label, self._inside, self._depth = label, inside, depth
        self._pending = bytearray()
        self._base = 0  # of the first pending byte in the stream
        self._seen = 0  # pending bytes already searched
        self._marked = 0  # pending bytes already looked at for compressed data
        self._inflating: list[_Inflating] = []

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes; after each block of them they are searched."""
        block_bytes = self._search.block_bytes
        for begin in range(0, len(chunk), block_bytes):
            piece = chunk[begin : begin + block_bytes]
            for stream in self._inflating:
                stream.feed(piece)
            self._forget()
            self._pending += piece
            if len(self._pending) - self._seen >= block_bytes:
                self._look(final=False)

    def finish(self) -> None:
        """Search what is left, here and in the streams that go on to the end."""
        if len(self._pending) >= SHORTEST:
            self._look(final=True)
        for stream in self._inflating:
            stream.finish()
        self._forget()

    def _forget(self) -> None:
        going = [stream for stream in self._inflating if stream.going]
        self._run.following -= len(self._inflating) - len(going)
        self._inflating = going

    def _look(self, final: bool) -> None:
        block = bytes(self._pending)
        for form, at in self._search.look(self._run, block, self._seen):
            name = form.name_of(block[at : at + len(form.raw)])
            place = Place(self._label, self._base + at, name, self._inside)
            self._search.note(self._run, form, place)
        if self._depth < DEPTH:
            stop = len(block) if final else len(block) - REACH
            for beginning in beginnings(block, self._marked, stop):
                self._follow(block, beginning)
            self._marked = max(self._marked, stop)
        gone = max(0, len(block) - self._search.overlap)
        del self._pending[:gone]
        self._base += gone
        self._seen = len(block) - gone
        self._marked = max(0, self._marked - gone)

    def _follow(self, block: bytes, beginning: Beginning) -> None:
        name = f"{beginning.name} at {self._base + beginning.offset}"
        inside = f"{self._inside}, {name}" if self._inside else name
        child = _Stream(self._search, self._run, self._label, inside, self._depth + 1)
        stream = _Inflating(child, self._run, beginning.wbits, self._search.inflated_bytes)
        stream.feed(memoryview(block)[beginning.offset :])
        if stream.going and self._run.following < _FOLLOWED:
            self._run.following += 1
            self._inflating.append(stream)
        elif stream.going:
            stream.cut()


class _Inflating:
    """A compressed stream that may go on in the bytes to come."""

    def __init__(self, into: _Stream, run: _Run, wbits: int, limit: int) -> None:
        self.going = True
        self._into, self._run, self._limit = into, run, limit
        self._given = 0  # bytes inflated
        self._inflater = zlib.decompressobj(wbits)

    def feed(self, chunk: bytes | memoryview) -> None:
        for begin in range(0, len(chunk), _PIECE):
            rest: bytes | memoryview = chunk[begin : begin + _PIECE]
            while self.going and rest:
                rest = self._inflate(rest)
            if not self.going:
                return

    def _inflate(self, piece: bytes | memoryview) -> bytes:
        """Inflate one step; what is left of the piece."""
        step = _STEP if self._given else SHORTEST
        before = self._inflater.copy() if self._given else None
        try:
            plain = self._inflater.decompress(piece, step)
        except zlib.error:
            if before:
                self._save(before, piece)
            self.finish()
            return b""
        self._take(plain)
        if self._inflater.eof:
            self.finish()
        return self._inflater.unconsumed_tail

    def _take(self, plain: bytes) -> None:
        self._given += len(plain)
        self._run.inflated += len(plain)
        self._into.feed(plain)
        if self._given > self._limit or self._run.inflated > INFLATED:
            self.cut()

    def cut(self) -> None:
        """Follow it no further, and say so if it was more than a chance likeness."""
        if self._given >= SHORTEST:
            self._run.outcome.cut_streams += 1
        self.finish()

    def _save(self, inflater: zlib._Decompress, piece: bytes | memoryview) -> None:
        """After an error, once more from before it in small steps, to lose nothing."""
        rest: bytes | memoryview = piece
        with suppress(zlib.error):
            while rest:
                self._into.feed(inflater.decompress(rest, SHORTEST))
                rest = inflater.unconsumed_tail

    def finish(self) -> None:
        if self.going:
            self.going = False
            self._into.finish()


def search_bytes(planted: Sequence[Planted], sources: Iterable[Source]) -> Outcome:
    """Where the planted identifiers are in the sources: a `Search` used once."""
    return Search(planted).run(sources)
