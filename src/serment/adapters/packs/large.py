"""An object too large for a shared pack: streamed to a pack of its own, deleted if not finished.

The age file is flushed before the trailer is written, so that a large pack with a trailer is whole
whatever the disk did first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from serment.adapters import system
from serment.adapters.packs import files
from serment.core.records import pack
from serment.errors import N_, Conflict
from serment.ports import Place


class LocalLarge:
    """The `LargeRecord` port; used by one thread. `adopt` takes the finished pack over."""

    def __init__(
        self,
        root: Path,
        object_id: str,
        envelope_id: str,
        adopt: Callable[[files.NewPack, int], None],
    ) -> None:
        self._head = pack.build_large_head(object_id, envelope_id)
        self._adopt, self._sha256 = adopt, hashlib.sha256()
        self._size = 0  # of the age file so far
        try:
            self._file: files.NewPack | None = files.create(root)
            self._put(self._head, 0)
        except OSError as error:
            raise system.disk_error(error) from error

    def write(self, chunk: system.Buffer) -> None:
        """Append to the age file; `NoSpace` deletes the whole pack."""
        self._put(chunk, pack.HEAD_SIZE + self._size)
        self._sha256.update(chunk)
        self._size += len(chunk)

    def digest(self) -> bytes:
        return self._sha256.digest()

    def finish(self, identity_header: bytes, clinical_header: bytes) -> Place:
        digest = self.digest()
        trailer = pack.build_trailer(
            self._head, self._size, digest, identity_header, clinical_header
        )
        file = self._open_file()
        try:
            system.sync_file(file.descriptor)
        except OSError as error:
            self.abort()
            raise system.disk_error(error) from error
        tail = identity_header + clinical_header + trailer
        self._put(tail, pack.HEAD_SIZE + self._size)
        self._file = None
        self._adopt(file, pack.HEAD_SIZE + self._size + len(tail))
        return Place(file.name, pack.HEAD_SIZE, self._size, digest)

    def abort(self) -> None:
        """Delete the pack; nothing to do once finished or aborted."""
        if self._file is not None:
            files.discard(self._file.path, self._file.descriptor, self._file.marker)
            self._file = None

    def _put(self, data: system.Buffer, offset: int) -> None:
        file = self._open_file()
        try:
            system.write_at(file.descriptor, [data], offset)
        except OSError as error:
            self.abort()
            raise system.disk_error(error) from error

    def _open_file(self) -> files.NewPack:
        if self._file is None:
            raise Conflict(N_("this large object is finished already"))
        return self._file
