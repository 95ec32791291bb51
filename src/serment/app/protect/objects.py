"""One sealed object as plain bytes at any offset; who may, and the journal, are `reading`'s work.

Nobody needs a secret to seal something to a public key, so a file in a pack proves nothing by
itself. Before its first byte is used, the object's authenticated index record must open, and the
file must have the SHA-256 that the record is bound to (docs/format.md, "Packs").
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from serment.app.house import House
from serment.app.protect.remembered import Remembered
from serment.app.protect.sealing import CLINICAL
from serment.core.crypto.age import AgeReader, HybridIdentity
from serment.core.crypto.age.stream import CHUNK, SEALED_CHUNK
from serment.core.crypto.keys import subkey
from serment.core.crypto.secret import Seed
from serment.core.crypto.wraps import open_value
from serment.core.records import contexts
from serment.core.records.vault import StoredObject
from serment.errors import N_, IntegrityError
from serment.ports import Packs

WHOLE = 4 * 1024 * 1024  # objects up to this size are read in one go
PIECE = 16 * CHUNK  # bytes of larger ones that are read at once, and of any that stream at once


class ObjectReader:
    """Opened at the first look at its bytes; used by one thread at a time."""

    __slots__ = ("_age", "_house", "_identity", "_remembered", "_seed", "_window", "row")

    def __init__(
        self,
        house: House,
        row: StoredObject,
        seed: Seed,
        remembered: Remembered | None = None,
        identity: HybridIdentity | None = None,
    ) -> None:
        """`remembered`: of the session that reads; without it everything is opened anew."""
        self.row = row
        self._house, self._seed, self._identity = house, seed, identity
        self._remembered = remembered
        self._window = _Window(house.packs, row)
        self._age: AgeReader | None = None

    @property
    def size(self) -> int:
        """Bytes of the object itself; errors as `read`."""
        return self._view().plain_size

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes at `offset`, fewer only at the end.

        Raises:
            IntegrityError: it is not what was sealed.
            VaultLocked: the session has ended.
        """
        age = self._view()
        self._window.expect(offset, min(length, age.plain_size - offset))
        return age.read(offset, length)

    def all(self) -> bytes:
        """The whole object; errors as `read`."""
        return self.read(0, self.size)

    def stream(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` up to `stop` (the end by default) in pieces of at most `PIECE`;
        opened when called, errors as `read`."""
        return self._pieces(start, self.size if stop is None else min(stop, self.size))

    def _pieces(self, start: int, stop: int) -> Iterator[bytes]:
        while start < stop:
            end = min(stop, start - start % PIECE + PIECE)
            yield self.read(start, end - start)
            start = end

    def _view(self) -> AgeReader:
        if self._remembered is not None:
            self._remembered.check_open()
        if self._age is None:
            self._age = self._open()
        return self._age

    def _open(self) -> AgeReader:
        remembered, row = self._remembered, self.row
        known = None if remembered is None else remembered.object(row.id)
        if known is not None:
            return AgeReader.again(self._window.read, known[1])
        check_record(self._house.vault, row, self._seed)
        self._window.hold_verified()
        identity = self._identity or HybridIdentity(self._seed)
        age = AgeReader(self._window.read, row.size, [identity])
        if remembered is not None:
            remembered.keep_object(row, age.opened)
        return age


def check_record(vault: str, row: StoredObject, seed: Seed) -> None:
    """The index record was sealed for this object, this envelope and a file of this digest.

    Raises:
        IntegrityError: it was not.
    """
    context = contexts.clinical_header(vault, row.id, row.envelope, row.sha256)
    open_value(row.header, subkey(seed, CLINICAL), context)


def not_as_sealed(row: StoredObject) -> IntegrityError:
    """The file in the pack has another digest than its record says."""
    return IntegrityError(
        N_("the object {object} is not the one that was sealed"),
        hint=N_("it was changed or damaged: restore it from a backup"),
        object=row.id,
    )


class _Window:
    """The part of an age file that was read last."""

    __slots__ = ("_ahead", "_data", "_packs", "_row", "_start")

    def __init__(self, packs: Packs, row: StoredObject) -> None:
        self._packs, self._row = packs, row
        self._start, self._data = 0, memoryview(b"")
        self._ahead = 0

    def hold_verified(self) -> None:
        """Hash the file, and hold its first piece, or all of a small one, as it was hashed: the
        file's key is taken from there, and whatever is read later must be authentic under it."""
        size = self._row.size
        piece = size if size <= WHOLE else PIECE
        self._start, self._data = 0, self._fetch(0, piece)
        digest = hashlib.sha256(self._data)
        for offset in range(piece, size, PIECE):
            digest.update(self._fetch(offset, min(PIECE, size - offset)))
        if digest.digest() != self._row.sha256:
            raise not_as_sealed(self._row)

    def expect(self, offset: int, length: int) -> None:
        """So many bytes of plaintext will be read from there: fetch their chunks at once."""
        if length > 0:
            chunks = (offset + length - 1) // CHUNK - offset // CHUNK + 1
            self._ahead = min(chunks * SEALED_CHUNK, WHOLE)

    def read(self, offset: int, size: int) -> memoryview:
        end = self._start + len(self._data)
        if not self._start <= offset <= offset + size <= end:
            length = min(max(size, self._ahead), self._row.size - offset)
            self._start, self._data = offset, self._fetch(offset, length)
        return self._data[offset - self._start : offset - self._start + size]

    def _fetch(self, offset: int, size: int) -> memoryview:
        return memoryview(self._packs.read(self._row.pack, self._row.offset + offset, size))
