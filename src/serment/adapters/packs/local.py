"""The `Packs` port over a folder: append-only files, group commit, recovery at start.

Each process writes packs of its own and reads everybody's. Safe for many threads.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from serment.adapters import system
from serment.adapters.packs import files, recovery
from serment.adapters.packs.group import PACK_LIMIT, Group
from serment.adapters.packs.large import LocalLarge
from serment.adapters.packs.room import LocalRoom
from serment.core.records import pack as layout
from serment.core.records.pack import Gap, ParsedRecord, no_record
from serment.errors import N_, IntegrityError, Remark
from serment.ports import LargeRecord, PackRecord, Place, Room


class LocalPacks:
    """Packs under `folder` (made 0700 when missing); a new pack every `limit` bytes."""

    def __init__(self, folder: Path, limit: int = PACK_LIMIT) -> None:
        self._root = folder
        system.make_private_folder(folder)
        self._group = Group(folder, limit)

    def room(self, one_by_one: bool = False) -> Room:
        return LocalRoom(lambda record: self._group.append(record, one_by_one))

    def large(self, object_id: str, envelope_id: str) -> LargeRecord:
        return LocalLarge(self._root, object_id, envelope_id, self._group.adopt)

    def sync(self) -> None:
        self._group.sync()

    @property
    def flushes(self) -> int:
        """How many times this process waited for the disk: shows how flushes are shared."""
        return self._group.flushes

    def read(self, pack: str, offset: int, size: int) -> bytes:
        with self._reading(pack) as descriptor:
            found = system.read_at(descriptor, size, offset)
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
        busy = files.under_way(files.path_of(self._root, pack))
        gaps = [item for item in self._scan(pack) if isinstance(item, Gap) and not busy]
        return list(map(no_record, gaps))

    def recover(self) -> list[Remark]:
        return recovery.recover(self._root)

    def verify(self, place: Place) -> bool:
        try:
            with self._reading(place.pack) as descriptor:
                found = layout.digest_of(files.reader(descriptor), place.offset, place.size)
                return found == place.sha256
        except IntegrityError:
            return False

    def names(self) -> list[str]:
        try:
            return [path.stem for path in files.all_paths(self._root)]
        except OSError as error:
            raise system.disk_error(error) from error

    def close(self) -> None:
        self._group.close()

    def _scan(self, pack: str) -> Iterator[ParsedRecord | Gap]:
        with self._reading(pack) as descriptor:
            yield from layout.scan(files.reader(descriptor), files.size_of(descriptor))

    @contextmanager
    def _reading(self, pack: str) -> Iterator[int]:
        try:
            descriptor = system.open_to_read(files.path_of(self._root, pack))
        except OSError as error:
            raise IntegrityError(
                N_("pack {pack} is missing or cannot be read"),
                hint=N_("run `serment doctor`; restore the pack from a backup"),
                pack=pack,
            ) from error
        try:
            yield descriptor
        except OSError as error:
            raise system.disk_error(error) from error
        finally:
            os.close(descriptor)


def _record(name: str, parsed: ParsedRecord) -> PackRecord:
    place = Place(name, parsed.age_offset, parsed.age_size, parsed.sha256)
    return PackRecord(
        parsed.object_id,
        parsed.envelope_id,
        place,
        parsed.identity_header,
        parsed.clinical_header,
    )
