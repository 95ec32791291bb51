"""Finds quickly where any of many thousand byte patterns may begin, in one pass over a block.

Each pattern of at least 8 bytes is represented by four windows at consecutive offsets. A block is
looked at every four bytes only: whatever the alignment, one of the four windows falls on a place
that is looked at. A hashed table throws out nearly all places, a sorted array the rest, and the
pattern's last bytes are compared before a place is given back. All steps run in numpy; memory is
a few times the block. Long patterns use windows of 8 bytes, short ones of 4.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

STEP = 4  # bytes between the places looked at
PADDING = 8  # zero bytes to be put after a block
_LONG = 8 + STEP - 1  # bytes a pattern needs for windows of 8
_MULTIPLIER = {4: 0x9E3779B1, 8: 0x9E3779B97F4A7C15}  # Fibonacci hashing
_BLOCK = 1 << 18  # candidate pairs compared at once

Indices = NDArray[np.int64]


class Windows:
    """The index of a set of patterns; patterns are named by their position in it."""

    def __init__(self, patterns: Sequence[bytes]) -> None:
        """Patterns of at least `SHORTEST` bytes; several may be equal."""
        short = [number for number, each in enumerate(patterns) if len(each) < _LONG]
        long = [number for number, each in enumerate(patterns) if len(each) >= _LONG]
        self._tables = [
            _Table.of(patterns, chosen, width)
            for chosen, width in ((short, 4), (long, 8))
            if chosen
        ]

    def candidates(self, block: bytes, wanted: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
        """(pattern, position) pairs where first window and last bytes agree.

        `block` ends with `PADDING` bytes that are not searched; `wanted` says which patterns are
        still of interest.
        """
        size = len(block) - PADDING
        octets = np.frombuffer(block, dtype=np.uint8)
        for table in self._tables:
            yield from table.candidates(octets, size, wanted)


@dataclass(frozen=True, slots=True)
class _Table:
    """Windows of one width. Parallel arrays, sorted by window value."""

    width: int
    shift: int
    sieve: NDArray[np.bool_]  # by hash of the window
    values: NDArray[np.uint64]  # distinct windows
    first: Indices  # where each distinct window's entries begin; one more at the end
    pattern: Indices  # entries
    offset: Indices  # of the window in the pattern
    length: Indices  # of the pattern
    ending: NDArray[np.uint64]  # its last `width` bytes

    @classmethod
    def of(cls, patterns: Sequence[bytes], chosen: Sequence[int], width: int) -> _Table:
        entries = [
            (_word(patterns[number], at, width), number, at)
            for number, begin in zip(chosen, _rarest(patterns, chosen, width), strict=True)
            for at in range(begin, begin + STEP)
        ]
        entries.sort()
        value = np.array([entry[0] for entry in entries], dtype=np.uint64)
        pattern = np.array([entry[1] for entry in entries], dtype=np.int64)
        values, first = np.unique(value, return_index=True)
        bits = min(22, max(16, 4 + len(values).bit_length()))
        shift = 8 * width - bits
        sieve = np.zeros(1 << bits, dtype=np.bool_)
        sieve[_hash(values.astype(f"<u{width}"), width, shift)] = True
        return cls(
            width=width,
            shift=shift,
            sieve=sieve,
            values=values,
            first=np.append(first, len(entries)).astype(np.int64),
            pattern=pattern,
            offset=np.array([entry[2] for entry in entries], dtype=np.int64),
            length=np.array([len(patterns[entry[1]]) for entry in entries], dtype=np.int64),
            ending=np.array(
                [
                    _word(patterns[entry[1]], len(patterns[entry[1]]) - width, width)
                    for entry in entries
                ],
                dtype=np.uint64,
            ),
        )

    def candidates(
        self, octets: NDArray[np.uint8], size: int, wanted: NDArray[np.bool_]
    ) -> Iterator[tuple[int, int]]:
        for start in range(0, self.width, STEP):
            words = octets[start : start + (size - start) // self.width * self.width]
            words = words.view(f"<u{self.width}")
            places = np.flatnonzero(self.sieve[_hash(words, self.width, self.shift)])
            if places.size:
                found = words[places].astype(np.uint64)
                yield from self._compare(octets, size, wanted, places * self.width + start, found)

    def _compare(
        self,
        octets: NDArray[np.uint8],
        size: int,
        wanted: NDArray[np.bool_],
        places: Indices,
        found: NDArray[np.uint64],
    ) -> Iterator[tuple[int, int]]:
        nearest = np.minimum(np.searchsorted(self.values, found), len(self.values) - 1)
        same = self.values[nearest] == found
        places, nearest = places[same], nearest[same]
        counts = self.first[nearest + 1] - self.first[nearest]
        ends = np.cumsum(counts)
        begin = 0
        while begin < len(places):  # blocks of windows whose entries are about _BLOCK together
            before = int(ends[begin - 1]) if begin else 0
            stop = max(begin + 1, int(np.searchsorted(ends, before + _BLOCK, side="right")))
            some, many = slice(begin, stop), counts[begin:stop]
            running = np.arange(int(many.sum())) - np.repeat(np.cumsum(many) - many, many)
            entries = np.repeat(self.first[nearest[some]], many) + running
            at = np.repeat(places[some], many) - self.offset[entries]
            yield from self._endings(octets, size, wanted, entries, at)
            begin = stop

    def _endings(
        self,
        octets: NDArray[np.uint8],
        size: int,
        wanted: NDArray[np.bool_],
        entries: Indices,
        at: Indices,
    ) -> Iterator[tuple[int, int]]:
        end = at + self.length[entries]
        keep = (at >= 0) & (end <= size) & wanted[self.pattern[entries]]
        entries, at, end = entries[keep], at[keep], end[keep]
        last = np.zeros(len(end), dtype=np.uint64)
        for octet in range(self.width):
            shift = np.uint64(8 * octet)
            last |= octets[end - self.width + octet].astype(np.uint64) << shift
        keep = last == self.ending[entries]
        yield from zip(self.pattern[entries[keep]].tolist(), at[keep].tolist(), strict=True)


def _word(pattern: bytes, at: int, width: int) -> int:
    return int.from_bytes(pattern[at : at + width], "little")


def _hash(words: NDArray[Any], width: int, shift: int) -> NDArray[Any]:
    hashed: NDArray[Any] = words * words.dtype.type(_MULTIPLIER[width])
    hashed >>= words.dtype.type(shift)
    return hashed


def _rarest(patterns: Sequence[bytes], chosen: Sequence[int], width: int) -> list[int]:
    """For each pattern, where to put its windows: at its end, middle or start, where the fewest
    other patterns have the same bytes (identifiers of one house begin alike)."""
    choices = [
        {at: patterns[number][at : at + width] for at in _spots(len(patterns[number]) - width)}
        for number in chosen
    ]
    seen = Counter(window for windows in choices for window in windows.values())
    rarity = [{at: seen[window] for at, window in windows.items()} for windows in choices]
    return [min(each, key=each.__getitem__) for each in rarity]


def _spots(last_window: int) -> tuple[int, int, int]:
    last = last_window - STEP + 1
    return (last, last // 2, 0)
