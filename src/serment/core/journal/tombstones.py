"""What stays of entries whose retention has ended: a signed statement that they expired.

Entries that expire together share one tombstone, signed once over their numbers and leaves, so
that ten million of them can be checked without ten million signatures. Which entries expire, and
when, is `retention`.

Layout: version (1 byte, 0x01) · day of expiry (10 ASCII characters, YYYY-MM-DD) · first number,
last number, how many (8 bytes each, big endian) · Ed25519 signature (64 bytes) over the
length-prefixed fields "expired", origin, day, the three numbers, and SHA-256 over each entry's
number (8 bytes) and leaf (32 bytes) in order.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from serment.core.crypto.context import encode_fields
from serment.core.crypto.secret import Seed
from serment.core.crypto.signing import SIGNATURE_BYTES, sign, verify
from serment.core.journal.entries import LoggedEntry
from serment.errors import N_, FormatError

_VERSION = 1
_LAYOUT = struct.Struct(f">B10sQQQ{SIGNATURE_BYTES}s")


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What one tombstone says: `count` entries between `first` and `last` expired that day."""

    day: date
    first: int
    last: int
    count: int
    signature: bytes

    def encode(self) -> bytes:
        """The bytes kept beside every leaf it covers."""
        day = self.day.isoformat().encode()
        return _LAYOUT.pack(_VERSION, day, self.first, self.last, self.count, self.signature)


def parse_tombstone(raw: bytes) -> Tombstone:
    """Read a tombstone; `FormatError` when it is none. Its signature is checked by `Batch`."""
    if not isinstance(raw, bytes) or len(raw) != _LAYOUT.size:
        raise _not_a_tombstone()
    version, day, first, last, count, signature = _LAYOUT.unpack(raw)
    try:
        parsed = date.fromisoformat(day.decode("ascii"))
    except ValueError as error:
        raise _not_a_tombstone() from error
    if version != _VERSION or not first <= last or not 1 <= count <= last - first + 1:
        raise _not_a_tombstone()
    return Tombstone(parsed, first, last, count, signature)


class Batch:
    """The entries under one tombstone, met one by one in the order of the log."""

    __slots__ = ("_digest", "_last", "count", "first")

    def __init__(self, first: int) -> None:
        self.first, self.count = first, 0
        self._last = first
        self._digest = hashlib.sha256()

    def add(self, index: int, leaf: bytes) -> None:
        """One more entry that carries the tombstone."""
        self._digest.update(index.to_bytes(8, "big") + leaf)
        self._last = index
        self.count += 1

    def holds(self, tombstone: Tombstone, log: str, public: bytes) -> bool:
        """Whether the tombstone is signed over exactly these entries."""
        met = (self.first, self._last, self.count)
        said = (tombstone.first, tombstone.last, tombstone.count)
        message = self._message(log, tombstone.day)
        return met == said and verify(public, message, tombstone.signature)

    def sign(self, log: str, day: date, seed: Seed) -> Tombstone:
        """The tombstone of these entries."""
        signature = sign(seed, self._message(log, day))
        return Tombstone(day, self.first, self._last, self.count, signature)

    def _message(self, log: str, day: date) -> bytes:
        numbers = struct.pack(">QQQ", self.first, self._last, self.count)
        return encode_fields("expired", log, day.isoformat(), numbers, self._digest.digest())


def make_tombstone(rows: Sequence[LoggedEntry], log: str, day: date, seed: Seed) -> bytes:
    """The tombstone shared by these rows, which stand in the order of the log."""
    batch = Batch(rows[0].index)
    for row in rows:
        batch.add(row.index, row.leaf)
    return batch.sign(log, day, seed).encode()


def _not_a_tombstone() -> FormatError:
    return FormatError(
        N_("the mark of an expired entry cannot be read"),
        hint=N_("run `serment journal verify`"),
    )
