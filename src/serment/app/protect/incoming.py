"""One object on its way in: its header is read as soon as it is there, and what follows is sealed
and hashed while the rest is still coming.

Nothing of it is visible before `finish`: an envelope is made only for an object that is whole, or
longer than 4 MiB. Leaves to others: which envelope, sealing the headers, rows (`reception`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Protocol

from serment.app.protect.arrivals import HEAD_LIMIT, Arrival, Bytes, find_arrival, parse_arrival
from serment.app.protect.sealing import SealingEnvelope
from serment.core.crypto.age import AgeWriter
from serment.core.crypto.age.buffers import Reused
from serment.core.crypto.entropy import new_id
from serment.ports import LargeRecord, Packs, Place, Receipt, Room

WHOLE = 4 * 1024 * 1024  # bytes of an object that goes into a shared pack
FIRST_LOOK = 96 * 1024  # bytes after which the header is looked for; nearly all are shorter
_LOOK_AGAIN = 4  # times as many bytes: so that a long header costs little more than one reading


class Keeper(Protocol):
    """What an object on its way needs of its reception."""

    study: str | None  # the only one that may come; None = any

    def join(self, arrival: Arrival) -> SealedFile | None:
        """An empty file in the envelope it belongs to, None unless that is open already."""

    def begin(self, arrival: Arrival) -> SealedFile:
        """The same in an envelope that is made if need be."""

    def keep(self, arrival: Arrival, file: SealedFile) -> Receipt:
        """The file is complete: seal its headers, write it, remember its row."""


class Incoming:
    """The `Streaming` port; one at a time for each reception, whose buffer `head` it uses."""

    def __init__(self, reception: Keeper, head: Reused) -> None:
        self._reception, self._head = reception, head
        self._head.clear()
        self._look_at = FIRST_LOOK
        self._arrival: Arrival | None = None
        self._file: SealedFile | None = None
        self._ended = False

    def write(self, chunk: Bytes) -> None:
        if self._file is None:
            chunk = self._taken(chunk)
        if self._file is not None:
            self._file.write(chunk)

    def finish(self) -> Receipt:
        if self._file is None:
            self._begin(self._arrival or parse_arrival(self._head.content(), self._reception.study))
        assert self._file is not None
        assert self._arrival is not None
        receipt = self._reception.keep(self._arrival, self._file)
        self._ended = True
        return receipt

    def abort(self) -> None:
        if self._ended:  # the memory may be the next one's already
            return
        self._ended = True
        self._head.clear()
        if self._file is not None:
            self._file.abort()

    def known(self, arrival: Arrival) -> None:
        """Nothing needs to be read to know what this is."""
        self._begin(arrival)

    def _taken(self, chunk: Bytes) -> Bytes:
        """Keep what it takes to look at the header; what is left once the file has begun."""
        view = memoryview(chunk)
        while self._file is None and len(view):
            room = self._look_at - len(self._head)
            self._head.append(view[:room])
            view = view[room:]
            if len(self._head) >= self._look_at:
                self._look()
        return view

    def _look(self) -> None:
        """Begin to seal, if the header is there."""
        head = self._head.content()
        if len(head) >= HEAD_LIMIT:
            study = self._reception.study
            self._begin(self._arrival or parse_arrival(head, study, partial=True))
            return
        self._look_at = min(_LOOK_AGAIN * self._look_at, HEAD_LIMIT)
        self._arrival = find_arrival(head, self._reception.study)
        file = None if self._arrival is None else self._reception.join(self._arrival)
        if file is not None:
            self._fill(file)
        elif self._arrival is not None:
            self._look_at = HEAD_LIMIT

    def _begin(self, arrival: Arrival) -> None:
        self._arrival = arrival
        self._fill(self._reception.begin(arrival))

    def _fill(self, file: SealedFile) -> None:
        self._file = file
        file.write(self._head.content())
        self._head.clear()


class SealedFile:
    """The age file of one object: in memory, and in a pack of its own beyond 4 MiB."""

    def __init__(
        self, packs: Packs, envelope: SealingEnvelope, age: AgeWriter, sealed: Room
    ) -> None:
        """
        Args:
            age: fresh, sealing to the envelope.
            sealed: memory for it, which the next one may have.
        """
        self.envelope, self.object_id = envelope, new_id()
        self.size = 0  # bytes of the object itself
        self._packs, self._sealed = packs, sealed
        self._sha256 = hashlib.sha256()
        self._large: LargeRecord | None = None
        self._age = age
        self._sealed.clear()
        head = age.header()
        sealed.extend(len(head))[:] = head
        self._sha256.update(head)

    def write(self, chunk: Bytes) -> None:
        """The next bytes of the object."""
        self.size += len(chunk)
        if self.size > WHOLE and self._large is None:
            self._large = self._packs.large(self.object_id, self.envelope.id)
            self._large.write(self._sealed.content())
            self._sealed.clear()
        self._put(self._age.update_size(len(chunk)), lambda out: self._age.update_into(chunk, out))

    def digest(self) -> bytes:
        """SHA-256 of the file, to which nothing can be added any more."""
        self._put(self._age.finish_size, self._age.finish_into)
        return self._sha256.digest()

    def place(self, digest: bytes, identity: bytes, clinical: bytes) -> Place:
        """Write it with its sealed headers."""
        if self._large is not None:
            return self._large.finish(identity, clinical)
        return self._sealed.keep(self.object_id, self.envelope.id, digest, identity, clinical)

    def abort(self) -> None:
        if self._large is not None:
            self._large.abort()
        self._sealed.clear()

    def _put(self, size: int, fill: Callable[[memoryview], None]) -> None:
        out = self._sealed.extend(size)
        fill(out)
        self._sha256.update(out)
        if self._large is not None:
            self._large.write(out)
            self._sealed.clear()
