"""One sealed object as plain bytes at any offset; who may, and the journal, are `reading`'s work."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from serment.core.crypto.age import AgeReader, HybridIdentity
from serment.core.crypto.secret import Seed
from serment.core.records.vault import StoredObject
from serment.ports import Packs

READ_AHEAD = 1024 * 1024  # bytes of ciphertext fetched at once
WHOLE = 8 * 1024 * 1024  # objects up to this size are read in one go


class ObjectReader:
    """One sealed object as plain bytes at any offset."""

    def __init__(self, packs: Packs, row: StoredObject, seed: Seed) -> None:
        self.row = row
        source = _whole(packs, row) if row.size <= WHOLE else _window(packs, row)
        self._age = AgeReader(source, row.size, [HybridIdentity(seed)])

    @property
    def size(self) -> int:
        return self._age.plain_size

    def read(self, offset: int, length: int) -> bytes:
        return self._age.read(offset, length)

    def all(self) -> bytes:
        return self._age.read(0, self.size)

    def stream(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        return self._age.stream(start, stop)


def _whole(packs: Packs, row: StoredObject) -> Callable[[int, int], bytes | memoryview]:
    data = memoryview(packs.read(row.pack, row.offset, row.size))

    def read(offset: int, size: int) -> memoryview:
        return data[offset : offset + size]

    return read


def _window(packs: Packs, row: StoredObject) -> Callable[[int, int], bytes]:
    held: tuple[int, bytes] = (0, b"")

    def read(offset: int, size: int) -> bytes:
        nonlocal held
        start, data = held
        if not start <= offset <= offset + size <= start + len(data):
            length = min(max(size, READ_AHEAD), row.size - offset)
            start, data = held = offset, packs.read(row.pack, row.offset + offset, length)
        return data[offset - start : offset - start + size]

    return read
