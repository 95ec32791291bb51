"""Memory in which a record is put together and from which the disk takes it without a copy.

Begins at a page, with place for the head, so that an age file is sealed where it is written from.
Leaves to others: where the record goes (`group`), what it looks like (`core.records.pack`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from serment.adapters.packs.past_cache import page_memory
from serment.core.crypto.age.buffers import Reused
from serment.core.records.pack import HEAD_SIZE, build_around, build_filling
from serment.ports import Place

KEPT: Final = 1024 * 1024  # bytes of memory kept from one record to the next

Append = Callable[[memoryview], tuple[str, int]]
"""Writes a whole record; the name of its pack and its offset in it."""


class LocalRoom:
    """The `Room` port; used by one thread."""

    def __init__(self, append: Append) -> None:
        self._append = append
        self._record = Reused(KEPT, page_memory)
        self._record.extend(HEAD_SIZE)
        self.extend = self._record.extend  # for each piece of an object: no call in between

    def __len__(self) -> int:
        return len(self._record) - HEAD_SIZE

    def content(self) -> memoryview:
        return self._record.content()[HEAD_SIZE:]

    def clear(self) -> None:
        self._record.clear()
        self._record.extend(HEAD_SIZE)

    def keep(
        self, object_id: str, envelope_id: str, sha256: bytes, identity: bytes, clinical: bytes
    ) -> Place:
        size, record = len(self), self._record
        try:
            head, tail = build_around(object_id, envelope_id, size, sha256, identity, clinical)
            record.content()[:HEAD_SIZE] = head
            record.append(tail)
            record.append(build_filling(len(record)))
            name, start = self._append(record.content())
        finally:
            self.clear()
        return Place(name, start + HEAD_SIZE, size, sha256)
