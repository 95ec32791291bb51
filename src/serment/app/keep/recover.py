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
from serment.app.protect.objects import ObjectReader
from serment.app.protect.rows import identity_attributes
from serment.core.crypto.keys import age_identity, age_recipient, public_key
from serment.core.crypto.secret import Seed
from serment.core.journal.entries import Entry, EventKind
from serment.core.records.vault import Envelope, EnvelopeKind, StoredObject
from serment.errors import IntegrityError
from serment.ports import Progress

Write = Callable[[str, Iterable[bytes]], None]  # relative path, content
CHUNK = 1024 * 1024


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
        _envelope(house, ring, envelope, write, progress, sealed, result)
    return result


def _envelope(
    house: House,
    ring: Keyring,
    envelope: Envelope,
    write: Write,
    progress: Progress,
    sealed: bool,
    result: Recovered,
) -> None:
    seed = ring.envelope_seed(house.store, envelope.id)
    if seed is None:
        result.damaged.append(envelope.id)
        return
    folder = f"{envelope.patient or 'unfiled'}/{envelope.id}"
    identity = identity_attributes(house.store, ring, envelope.id) or {}
    about = {"kind": envelope.kind.value, "arrived": envelope.arrived.isoformat(), **identity}
    write(f"{folder}/identity.json", [json.dumps(about, ensure_ascii=False, indent=1).encode()])
    if sealed:
        write(f"{folder}/age-identity.txt", [_identity_file(seed)])
    result.envelopes += 1
    for row in house.store.find(StoredObject, envelope=envelope.id):
        _object(house, row, seed, envelope, folder, write, sealed, result)
        progress.step()


def _identity_file(seed: Seed) -> bytes:
    public = age_recipient(public_key(seed))
    return f"# recipient: {public}\n{age_identity(seed)}\n".encode()


def _object(
    house: House,
    row: StoredObject,
    seed: Seed,
    envelope: Envelope,
    folder: str,
    write: Write,
    sealed: bool,
    result: Recovered,
) -> None:
    suffix = ".pdf" if envelope.kind is EnvelopeKind.DOCUMENT else ".dcm"
    try:
        if sealed:
            write(f"{folder}/{row.id}{suffix}.age", _sealed(house, row))
        else:
            write(f"{folder}/{row.id}{suffix}", ObjectReader(house, row, seed).stream())
        result.objects += 1
    except IntegrityError:
        result.damaged.append(row.id)


def _sealed(house: House, row: StoredObject) -> Iterator[bytes]:
    for start in range(0, row.size, CHUNK):
        yield house.packs.read(row.pack, row.offset + start, min(CHUNK, row.size - start))
