"""Fills the in-memory search tables of an open circle from what its keys open.

One table a circle: an identity circle (secretariat, DPO) knows studies and patients, a care circle
knows series and instances. What came since the last look is added; nothing is written to disk but
the snapshot, sealed under a key derived from the circle's seed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from serment.app.circles import kind_of
from serment.app.keyring import Keyring
from serment.app.protect.reception import CLINICAL
from serment.core.crypto.keys import subkey
from serment.core.crypto.secret import Key, Seed
from serment.core.crypto.wraps import open_value
from serment.core.dicom import headers
from serment.core.journal.entries import EventKind
from serment.core.records import contexts
from serment.core.records.vault import (
    CircleKind,
    Envelope,
    IdentityHeader,
    StoredObject,
    Wrap,
    WrapKind,
)
from serment.errors import IntegrityError
from serment.ports import InstanceRow, SearchTable, Store, StudyRow

PAGE = 2000
ACCESSES = frozenset({EventKind.READ, EventKind.SEARCHED, EventKind.EXPORTED})


def study_rows(
    store: Store, ring: Keyring, circle: str, envelopes: Iterable[Envelope]
) -> list[StudyRow]:
    """One row per envelope whose identity header the keyring opens."""
    wanted = list(envelopes)
    wraps = _by_subject(store, WrapKind.ENVELOPE_IDENTITY, [e.id for e in wanted])
    sealed = _identity_headers(store, [e.id for e in wanted])
    rows = []
    for envelope in wanted:
        subject = f"envelope:{envelope.id}"
        key = ring.key_from(store, WrapKind.ENVELOPE_IDENTITY, subject, wraps.get(subject, []))
        if key is not None:
            attributes = open_identity(ring.vault, key, sealed.get(envelope.id, []))
            rows.append(_study_row(envelope, circle, attributes))
    return rows


def _study_row(envelope: Envelope, circle: str, attributes: dict[str, Any]) -> StudyRow:
    return StudyRow(
        envelope.id,
        envelope.circle,
        envelope.patient,
        envelope.kind.value,
        envelope.arrived,
        str(attributes.get("StudyInstanceUID", "")),
        attributes,
    )


def open_identity(vault: str, key: Key, sealed: list[IdentityHeader]) -> dict[str, Any]:
    """The administrative header of an envelope; modalities of all its headers together."""
    merged: dict[str, Any] = {}
    modalities: list[str] = []
    for header in sorted(sealed, key=lambda h: h.number):
        context = contexts.identity_header(vault, header.envelope, header.number)
        attributes = headers.decode(open_value(header.sealed, key, context))
        modality = attributes.get("Modality")
        if modality and modality not in modalities:
            modalities.append(modality)
        merged = {**attributes, **merged}
    if modalities:
        merged["ModalitiesInStudy"] = modalities
    return merged


def _by_subject(store: Store, kind: WrapKind, envelopes: list[str]) -> dict[str, list[Wrap]]:
    """Wraps of those envelopes: one query for many, one each for few."""
    found: dict[str, list[Wrap]] = {}
    if len(envelopes) > 100:
        for wrap in store.find(Wrap, kind=kind):
            found.setdefault(wrap.subject, []).append(wrap)
        return found
    for envelope in envelopes:
        subject = f"envelope:{envelope}"
        found[subject] = store.find(Wrap, kind=kind, subject=subject)
    return found


def _identity_headers(store: Store, envelopes: list[str]) -> dict[str, list[IdentityHeader]]:
    found: dict[str, list[IdentityHeader]] = {}
    if len(envelopes) > 100:
        for header in store.find(IdentityHeader):
            found.setdefault(header.envelope, []).append(header)
        return found
    return {envelope: store.find(IdentityHeader, envelope=envelope) for envelope in envelopes}


class ClinicalKeys:
    """Clinical header keys of the envelopes one circle can read, opened once each."""

    def __init__(self, store: Store, ring: Keyring, circle: str) -> None:
        self._store, self._ring, self._circle = store, ring, circle
        self._keys: dict[str, Key | None] = {}

    def prime(self) -> None:
        """Open every envelope of the circle at once (opening of the practice)."""
        wraps = _by_subject(self._store, WrapKind.ENVELOPE_SEED, [""] * 101)
        for envelope in self._store.find(Envelope, circle=self._circle):
            self._open(envelope.id, wraps.get(f"envelope:{envelope.id}", []))

    def of(self, envelope: str) -> Key | None:
        if envelope not in self._keys:
            subject = f"envelope:{envelope}"
            self._open(
                envelope, self._store.find(Wrap, kind=WrapKind.ENVELOPE_SEED, subject=subject)
            )
        return self._keys[envelope]

    def forget(self, envelopes: Iterable[str]) -> None:
        """Look again for keys that were missing: a grant or a filing may have brought them."""
        for envelope in envelopes:
            if self._keys.get(envelope) is None:
                self._keys.pop(envelope, None)

    def _open(self, envelope: str, wraps: list[Wrap]) -> None:
        key = self._ring.key_from(
            self._store, WrapKind.ENVELOPE_SEED, f"envelope:{envelope}", wraps
        )
        self._keys[envelope] = None if key is None else subkey(Seed(key.reveal()), CLINICAL)


def instance_row(vault: str, circle: str, row: StoredObject, key: Key) -> InstanceRow:
    """Open one object's authenticated index record."""
    context = contexts.clinical_header(vault, row.id, row.envelope, row.sha256)
    attributes = headers.decode(open_value(row.header, key, context))
    return InstanceRow(
        row.id,
        row.envelope,
        circle,
        str(attributes.get("StudyInstanceUID", "")),
        str(attributes.get("SeriesInstanceUID", "")),
        str(attributes.get("SOPInstanceUID", "")),
        row.state.value,
        attributes,
    )


class CircleTable:
    """The search table of one open circle and how far it has been filled.

    After the first fill, what changed is read from the journal: every entry that touches an
    envelope names it in `envelope` or `envelopes`.
    """

    def __init__(self, store: Store, ring: Keyring, circle: str, table: SearchTable) -> None:
        self.circle, self.table = circle, table
        self.care = kind_of(circle) is CircleKind.CARE
        self.ring = ring
        self.damaged = 0  # headers that failed authentication: shown by doctor and the home page
        self.version = 0  # counts the changes of the table: what shows it asks whether to ask again
        self._store = store
        self._cursor = 0
        self._entries = 0
        self._keys = ClinicalKeys(store, ring, circle)

    def adopt(self, ring: Keyring) -> None:
        """Another session opened the circle: its newer epochs serve the table too."""
        recipient = f"circle:{self.circle}"
        self.ring.hold(recipient, ring.epoch(recipient), ring.seed(recipient))

    def behind(self) -> bool:
        """Whether objects came since the last `fill`."""
        return self.care and bool(self._store.objects_after(self._cursor, 1))

    def fill(self) -> None:
        """Add what is new since the last time."""
        touched = self._touched()
        if not self.care:
            envelopes = self._envelopes(touched)
            if envelopes:
                rows = study_rows(self._store, self.ring, self.circle, envelopes)
                self.table.put_studies(rows)
                self.version += 1
            return
        if self._cursor == 0:
            self._keys.prime()
        self._keys.forget(touched or ())
        self._fill_instances()

    def _touched(self) -> set[str] | None:
        """Envelopes named by entries since the last look; None = all of them (first time)."""
        size = self._store.journal_size()
        start, self._entries = self._entries, size
        if start == 0:
            return None
        return {
            envelope
            for entry in self._store.journal(start, size)
            if entry.body is not None
            for envelope in envelopes_of(entry.body)
        }

    def _envelopes(self, touched: set[str] | None) -> list[Envelope]:
        if touched is None:
            return self._store.find(Envelope)
        found = (self._store.get(Envelope, envelope) for envelope in touched)
        return [envelope for envelope in found if envelope is not None]

    def _fill_instances(self) -> None:
        while page := self._store.objects_after(self._cursor, PAGE):
            self.table.put_instances(self._rows(row for _, row in page))
            self._cursor = page[-1][0]
            self.version += 1

    def refresh_states(self, objects: Iterable[StoredObject]) -> None:
        """Objects whose state changed (duplicates, conflicts) since their row was put."""
        self.table.put_instances(self._rows(objects))
        self.version += 1

    def _rows(self, objects: Iterable[StoredObject]) -> Iterator[InstanceRow]:
        for row in objects:
            key = self._keys.of(row.envelope)
            if key is None:
                continue
            try:
                yield instance_row(self.ring.vault, self.circle, row, key)
            except IntegrityError:
                self.damaged += 1

    def close(self) -> None:
        self.table.close()
        self.ring.close()


def envelopes_of(body: bytes) -> list[str]:
    """The envelopes that an entry says were changed."""
    entry = json.loads(body)
    if entry["kind"] in ACCESSES:
        return []
    details = entry["details"]
    named = list(details.get("envelopes", ()))
    return [*named, details["envelope"]] if "envelope" in details else named
