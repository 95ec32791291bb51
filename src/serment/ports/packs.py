"""The append-only files of sealed objects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from serment.errors import Remark


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record's age file is: pack name, offset and size in bytes, SHA-256 of it."""

    pack: str
    offset: int
    size: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class PackRecord:
    """One record read back from a pack (replay, doctor): everything but the age file itself."""

    object_id: str
    envelope_id: str
    place: Place
    identity_header: bytes
    clinical_header: bytes


class Room(Protocol):
    """Memory of one thread for one age file after the other, each up to 4 MiB of an object: put
    together here, and written from here."""

    def __len__(self) -> int: ...

    def extend(self, size: int) -> memoryview:
        """`size` more bytes, for the caller to fill."""

    def content(self) -> memoryview:
        """All there is of the age file, valid until the next change."""

    def clear(self) -> None:
        """Begin anew; memory that an unusually long file took is given back."""

    def keep(
        self, object_id: str, envelope_id: str, sha256: bytes, identity: bytes, clinical: bytes
    ) -> Place:
        """Write it as one record with its sealed headers; durable only after `sync`. Whether it
        succeeds or not, the room is empty then."""


class LargeRecord(Protocol):
    """An object that streams to a pack of its own."""

    def write(self, chunk: bytes | memoryview) -> None: ...

    def digest(self) -> bytes:
        """SHA-256 of what was written so far: the headers are bound to it."""

    def finish(self, identity_header: bytes, clinical_header: bytes) -> Place:
        """Complete the record; durable only after `sync`."""

    def abort(self) -> None:
        """Delete the unfinished pack."""


class Packs(Protocol):
    """Append-only files of sealed objects. `NoSpace` when the disk is full; nothing half kept."""

    def room(self, one_by_one: bool = False) -> Room:
        """Memory from which records are written.

        Args:
            one_by_one: `sync` follows each record, so that nothing is gained by leaving it to the
                system's cache.
        """

    def large(self, object_id: str, envelope_id: str) -> LargeRecord: ...

    def sync(self) -> None:
        """Return once everything appended before the call is on disk; concurrent callers share
        one flush (group commit)."""

    def read(self, pack: str, offset: int, size: int) -> bytes:
        """Exactly `size` bytes; `IntegrityError` when the pack is missing or too short."""

    def records(self, pack: str | None = None) -> Iterator[PackRecord]:
        """Every whole record of one pack or of all, in order (headers and places only)."""

    def recover(self) -> list[Remark]:
        """At start: cut torn tails, delete unfinished large packs; one line per repair."""

    def check(self, pack: str) -> list[Remark]:
        """What is wrong with the structure of a pack: empty when it holds whole records only."""

    def verify(self, place: Place) -> bool:
        """Whether the age file still has its SHA-256."""

    def names(self) -> list[str]: ...

    def close(self) -> None: ...
