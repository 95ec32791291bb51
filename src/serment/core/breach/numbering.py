"""Random ids as small numbers, twenty bytes each: half a million patients fit where a table of Python
numbers would take six times as much.

Whose ids they are is the caller's.
"""

from __future__ import annotations

from array import array
from binascii import unhexlify
from collections import defaultdict
from collections.abc import Iterator

ID, NUMBER = 16, 4  # bytes
_PLACE = ID + NUMBER
_MORE = 1024
_RECENT = 10_000


class Numbering:
    """Ids and their numbers, from 0 on in the order in which they were first asked for."""

    def __init__(self) -> None:
        # By the first two bytes: ids are random, so that each of these lists stays short.
        self._lists: defaultdict[bytes, bytearray] = defaultdict(bytearray)
        self._count = 0
        # As entries write them: what they name, they name again soon.
        self._recent: dict[bytes, int] = {}

    def __len__(self) -> int:
        return self._count

    def of(self, raw: bytes) -> int:
        """The number of an id (16 bytes), given now if it has none."""
        found = self._lists[raw[:2]]
        at = found.find(raw)
        while at % _PLACE and at > 0:  # across two ids
            at = found.find(raw, at + 1)
        if at >= 0:
            return int.from_bytes(found[at + ID : at + _PLACE], "big")
        number = self._count
        found += raw + number.to_bytes(NUMBER, "big")
        self._count += 1
        return number

    def written(self, text: bytes) -> int:
        """The number of an id in 32 hexadecimal digits."""
        number = self._recent.get(text)
        if number is None:
            if len(self._recent) >= _RECENT:
                self._recent.clear()
            number = self._recent[text] = self.of(unhexlify(text))
        return number

    def ids(self) -> Iterator[tuple[int, bytes]]:
        """Every number and its id."""
        for found in self._lists.values():
            for at in range(0, len(found), _PLACE):
                yield (
                    int.from_bytes(found[at + ID : at + _PLACE], "big"),
                    bytes(found[at : at + ID]),
                )


class Ids:
    """Of everything that is told apart."""

    def __init__(self) -> None:
        self.patients, self.compartments, self.envelopes = Numbering(), Numbering(), Numbering()


def raw_id(text: object) -> bytes | None:
    """The 16 bytes of a random id as it is written (hexadecimal); None when it is none.

    >>> raw_id("0f").hex()
    '0000000000000000000000000000000f'
    """
    if not isinstance(text, str):
        return None
    try:
        return int(text, 16).to_bytes(ID, "big")
    except (ValueError, OverflowError):
        return None


def column() -> array[int]:
    """A small number for each thing by its own number, 0 until it is set."""
    return array("I")


def stretch(of: array[int], things: int) -> None:
    """Make room for so many things, and some that will come."""
    of.frombytes(bytes(of.itemsize * max(0, things - len(of) + _MORE)))
