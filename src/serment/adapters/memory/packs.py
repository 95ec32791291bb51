"""The `Packs` port in memory: the same records as on disk, in byte arrays.

Everything is durable at once as far as a process that ends can tell; `capacity` (bytes) makes a
disk that is full.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator

from serment.core.crypto.age.buffers import Reused
from serment.core.crypto.entropy import new_id
from serment.core.records import pack as layout
from serment.core.records.pack import Gap, ParsedRecord, no_record, unfinished
from serment.errors import N_, Conflict, IntegrityError, NoSpace, Remark
from serment.ports import LargeRecord, PackRecord, Place, Room

LIMIT = 16 * 1024 * 1024
KEPT = 64 * 1024  # bytes of a room kept from one record to the next


class MemoryPacks:
    """Safe for many threads."""

    def __init__(self, capacity: int | None = None, limit: int = LIMIT) -> None:
        self._lock = threading.RLock()
        self.capacity = capacity
        self._limit = limit
        self._packs: dict[str, bytearray] = {}
        self._unfinished: set[str] = set()
        self._current: str | None = None

    def room(self, one_by_one: bool = False) -> Room:
        return MemoryRoom(self)

    def add(self, record: bytes) -> tuple[str, int]:
        """The name of its pack and its offset in it."""
        with self._lock:
            self.check_space(len(record))
            name = self._pack_for(len(record))
            start = len(self._packs[name])
            self._packs[name] += record
        return name, start

    def large(self, object_id: str, envelope_id: str) -> LargeRecord:
        head = layout.build_large_head(object_id, envelope_id)
        with self._lock:
            self.check_space(len(head))
            name = new_id()
            self._packs[name] = bytearray(head)
            self._unfinished.add(name)
        return MemoryLarge(self, name, head)

    def sync(self) -> None:
        """Nothing to wait for."""

    def read(self, pack: str, offset: int, size: int) -> bytes:
        found = self._bytes(pack)[offset : offset + size]
        if len(found) != size:
            raise IntegrityError(
                N_("pack {pack} ends before byte {end}"),
                hint=N_("it was cut or damaged: run `serment doctor`, restore it from a backup"),
                pack=pack,
                end=offset + size,
            )
        return found

    def records(self, pack: str | None = None) -> Iterator[PackRecord]:
        for name in self.names() if pack is None else [pack]:
            for item in self._scan(name):
                if isinstance(item, ParsedRecord):
                    yield _record(name, item)

    def check(self, pack: str) -> list[Remark]:
        gaps = [item for item in self._scan(pack) if isinstance(item, Gap)]
        return list(map(no_record, gaps))

    def recover(self) -> list[Remark]:
        """Delete the large packs that were never finished; what is there is closed."""
        with self._lock:
            self._current = None
            lines = [unfinished(name, len(self._packs[name])) for name in sorted(self._unfinished)]
            for name in list(self._unfinished):
                self.drop(name)
        return lines

    def verify(self, place: Place) -> bool:
        try:
            found = self.read(place.pack, place.offset, place.size)
        except IntegrityError:
            return False
        return hashlib.sha256(found).digest() == place.sha256

    def names(self) -> list[str]:
        with self._lock:
            return list(self._packs)

    def close(self) -> None:
        """As on disk, the next append begins a new pack; what is there stays readable."""
        with self._lock:
            self._current = None

    def grow(self, name: str, data: layout.Buffer) -> None:
        """Append to an unfinished large pack; `NoSpace` deletes it."""
        with self._lock:
            if name not in self._unfinished:
                raise Conflict(N_("this large object is finished already"))
            try:
                self.check_space(len(data))
            except NoSpace:
                self.drop(name)
                raise
            self._packs[name] += data

    def finished(self, name: str) -> None:
        with self._lock:
            self._unfinished.discard(name)

    def drop(self, name: str) -> None:
        """Forget an unfinished large pack; a finished one stays."""
        with self._lock:
            if name in self._unfinished:
                self._unfinished.discard(name)
                del self._packs[name]

    def check_space(self, size: int) -> None:
        """Raise `NoSpace` when that many bytes more would not fit."""
        if self.capacity is None:
            return
        if sum(len(data) for data in self._packs.values()) + size > self.capacity:
            raise NoSpace(
                N_("the disk that holds the vault is full"),
                hint=N_(
                    "free some space; what was acknowledged is safe, receiving resumes by itself"
                ),
            )

    def _pack_for(self, size: int) -> str:
        name = self._current
        if name is None or len(self._packs[name]) + size > self._limit:
            name = self._current = new_id()
            self._packs[name] = bytearray()
        return name

    def _scan(self, pack: str) -> Iterator[ParsedRecord | Gap]:
        data = self._bytes(pack)
        yield from layout.scan(lambda offset, size: data[offset : offset + size], len(data))

    def _bytes(self, pack: str) -> bytes:
        with self._lock:
            if pack not in self._packs:
                raise IntegrityError(
                    N_("pack {pack} is missing or cannot be read"),
                    hint=N_("run `serment doctor`; restore the pack from a backup"),
                    pack=pack,
                )
            return bytes(self._packs[pack])


class MemoryRoom(Reused):
    """The `Room` port of `MemoryPacks`."""

    def __init__(self, packs: MemoryPacks) -> None:
        super().__init__(KEPT)
        self._packs = packs

    def keep(
        self, object_id: str, envelope_id: str, sha256: bytes, identity: bytes, clinical: bytes
    ) -> Place:
        age_file, size = self.content().tobytes(), len(self)
        self.clear()
        around = layout.build_around(object_id, envelope_id, size, sha256, identity, clinical)
        name, start = self._packs.add(age_file.join(around))
        return Place(name, start + layout.HEAD_SIZE, size, sha256)


class MemoryLarge:
    """The `LargeRecord` port of `MemoryPacks`."""

    def __init__(self, packs: MemoryPacks, name: str, head: bytes) -> None:
        self._packs, self._name, self._head = packs, name, head
        self._sha256, self._size = hashlib.sha256(), 0

    def write(self, chunk: layout.Buffer) -> None:
        self._packs.grow(self._name, chunk)
        self._sha256.update(chunk)
        self._size += len(chunk)

    def digest(self) -> bytes:
        return self._sha256.digest()

    def finish(self, identity_header: bytes, clinical_header: bytes) -> Place:
        digest = self.digest()
        trailer = layout.build_trailer(
            self._head, self._size, digest, identity_header, clinical_header
        )
        self._packs.grow(self._name, identity_header + clinical_header + trailer)
        self._packs.finished(self._name)
        return Place(self._name, layout.HEAD_SIZE, self._size, digest)

    def abort(self) -> None:
        self._packs.drop(self._name)


def _record(name: str, parsed: ParsedRecord) -> PackRecord:
    place = Place(name, parsed.age_offset, parsed.age_size, parsed.sha256)
    return PackRecord(
        parsed.object_id,
        parsed.envelope_id,
        place,
        parsed.identity_header,
        parsed.clinical_header,
    )
