"""Exports everything with the recovery kit alone: plain files, or age files with their identities.

Works without any member and without Serment's own tools afterwards: what comes out is DICOM, PDF,
JSON and standard age files (promise 9).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from serment.app.house import House
from serment.app.keyring import Keyring
from serment.app.protect.objects import ObjectReader, check_record, not_as_sealed
from serment.app.protect.rows import identity_attributes
from serment.core.crypto.keys import age_identity, age_recipient, public_key
from serment.core.crypto.secret import Seed
from serment.core.journal.entries import Entry, EventKind
from serment.core.records.vault import Envelope, EnvelopeKind, StoredObject
from serment.errors import FormatError, IntegrityError
from serment.ports import Place, Progress

Write = Callable[[str, Iterable[bytes]], None]  # relative path, content
CHUNK = 1024 * 1024
PAGE = 1000  # rows read at a time


@dataclass(slots=True)
class Recovered:
    """How much came out, and what could not."""

    objects: int = 0
    envelopes: int = 0
    damaged: list[str] = field(default_factory=list)  # object or envelope ids

    def answer(self) -> dict[str, Any]:
        return {"objects": self.objects, "envelopes": self.envelopes, "damaged": self.damaged}


def recover(
    house: House, ring: Keyring, write: Write, progress: Progress, *, sealed: bool = False
) -> Recovered:
    """Write every object under `write`, one folder an envelope, with its identity as JSON.

    Args:
        ring: holds the recovery seed.
        sealed: age files as they are in the packs, each folder with the age identity that opens
            them, instead of plain files.
    """
    envelopes = house.store.find(Envelope)
    progress.total(house.store.count(StoredObject))
    result = Recovered()
    entry = Entry(EventKind.RECOVERED, house.clock.now(), "recovery", {"count": len(envelopes)})
    house.store.record(entry)
    for envelope in envelopes:
        Folder(house, ring, envelope, write, sealed, result).write_all(progress)
    result.damaged += _without_envelope(house, {envelope.id for envelope in envelopes})
    return result


def _without_envelope(house: House, known: set[str]) -> Iterator[str]:
    """Objects whose envelope is gone, and its keys with it."""
    cursor = 0
    while page := house.store.objects_after(cursor, PAGE):
        yield from (row.id for _, row in page if row.envelope not in known)
        cursor = page[-1][0]


@dataclass(frozen=True, slots=True)
class Folder:
    """What comes out of one envelope; what does not is noted, and the others go on."""

    house: House
    ring: Keyring
    envelope: Envelope
    write: Write
    sealed: bool
    result: Recovered

    @property
    def path(self) -> str:
        return f"{self.envelope.patient or 'unfiled'}/{self.envelope.id}"

    def write_all(self, progress: Progress) -> None:
        """Its identity, where that can be read, and its objects."""
        try:
            seed = self.ring.envelope_seed(self.house.store, self.envelope.id)
        except IntegrityError:
            seed = None
        if seed is None:
            self.result.damaged.append(self.envelope.id)
            return
        self.result.envelopes += 1
        self._identity()
        if self.sealed:
            self.write(f"{self.path}/age-identity.txt", [_identity_file(seed)])
        for row in self.house.store.find(StoredObject, envelope=self.envelope.id):
            self._object(row, seed)
            progress.step()

    def _identity(self) -> None:
        try:
            found = identity_attributes(self.house.store, self.ring, self.envelope.id)
        except (IntegrityError, FormatError):
            found = None
        if found is None:
            self.result.damaged.append(self.envelope.id)
            return
        envelope = self.envelope
        about = {"kind": envelope.kind.value, "arrived": envelope.arrived.isoformat(), **found}
        text = json.dumps(about, ensure_ascii=False, indent=1)
        self.write(f"{self.path}/identity.json", [text.encode()])

    def _object(self, row: StoredObject, seed: Seed) -> None:
        suffix = ".pdf" if self.envelope.kind is EnvelopeKind.DOCUMENT else ".dcm"
        try:
            if self.sealed:
                check_record(self.house.vault, row, seed)
                self.write(f"{self.path}/{row.id}{suffix}.age", _sealed(self.house, row))
            else:
                plain = ObjectReader(self.house, row, seed).stream()
                self.write(f"{self.path}/{row.id}{suffix}", plain)
            self.result.objects += 1
        except (IntegrityError, FormatError):
            self.result.damaged.append(row.id)


def _identity_file(seed: Seed) -> bytes:
    public = age_recipient(public_key(seed))
    return f"# recipient: {public}\n{age_identity(seed)}\n".encode()


def _sealed(house: House, row: StoredObject) -> Iterator[bytes]:
    """The age file as it is in the pack. `IntegrityError`: it is not the one that was sealed."""
    if not house.packs.verify(Place(row.pack, row.offset, row.size, row.sha256)):
        raise not_as_sealed(row)
    for start in range(0, row.size, CHUNK):
        yield house.packs.read(row.pack, row.offset + start, min(CHUNK, row.size - start))
