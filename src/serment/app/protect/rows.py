"""Opens sealed headers into the rows that are searched: plaintext, for memory only.

Two queries for the keys of a batch, whatever its size. What fails authentication is counted and
left out, so that one damaged header keeps nobody from the others. Who keeps the rows is decided in
`tables`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from serment.app.keyring import Keyring
from serment.app.protect.sealing import CLINICAL
from serment.core.crypto.keys import subkey
from serment.core.crypto.secret import Key, Seed
from serment.core.crypto.wraps import open_value
from serment.core.dicom import headers
from serment.core.records import contexts, names
from serment.core.records.vault import Envelope, IdentityHeader, StoredObject, WrapKind
from serment.errors import FormatError, IntegrityError
from serment.ports import InstanceRow, OneOf, Store, StudyRow


@dataclass(frozen=True, slots=True)
class Opener:
    """Opens what one keyring reaches; `damaged` counts what is not authentic, by its name."""

    store: Store
    ring: Keyring
    damaged: set[str] = field(default_factory=set)

    def studies(self, envelopes: Collection[Envelope]) -> list[StudyRow]:
        """One row for each envelope whose identity header opens, through the key of the very
        patient that its row says."""
        ids = [envelope.id for envelope in envelopes]
        filed = {
            names.envelope(e.id): names.patient(e.patient)
            for e in envelopes
            if e.patient is not None
        }
        keys = self._keys(WrapKind.ENVELOPE_IDENTITY, ids, filed)
        sealed: dict[str, list[IdentityHeader]] = {}
        for header in self.store.find(IdentityHeader, envelope=OneOf(ids)):
            sealed.setdefault(header.envelope, []).append(header)
        rows = []
        for envelope in envelopes:
            key = keys.get(envelope.id)
            if key is not None:
                try:
                    attributes = open_identity(self.ring.vault, key, sealed.get(envelope.id, []))
                except (IntegrityError, FormatError):
                    self.damaged.add(names.envelope(envelope.id))
                    continue
                rows.append(_study_row(envelope, attributes))
        return rows

    def clinical_keys(self, envelopes: Iterable[str]) -> dict[str, Key]:
        """The keys of the clinical headers of those envelopes that open."""
        found = self._keys(WrapKind.ENVELOPE_SEED, list(envelopes))
        return {each: subkey(Seed(key.reveal()), CLINICAL) for each, key in found.items()}

    def instances(
        self, circle: str, objects: Iterable[StoredObject], keys: dict[str, Key | None]
    ) -> Iterator[InstanceRow]:
        """One row for each object whose index record one of these clinical keys opens."""
        for row in objects:
            key = keys.get(row.envelope)
            if key is not None:
                try:
                    yield _instance_row(self.ring.vault, circle, row, key)
                except (IntegrityError, FormatError):
                    self.damaged.add(f"object:{row.id}")

    def _keys(
        self, kind: WrapKind, envelopes: list[str], filed: Mapping[str, str] | None = None
    ) -> dict[str, Key]:
        named = {names.envelope(envelope): envelope for envelope in envelopes}
        found = self.ring.keys(self.store, kind, named, self.damaged, filed)
        return {named[subject]: key for subject, key in found.items()}


def _study_row(envelope: Envelope, attributes: dict[str, Any]) -> StudyRow:
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


def identity_attributes(store: Store, ring: Keyring, envelope: str) -> dict[str, Any] | None:
    """The administrative header of one envelope, None when no key opens it."""
    key = ring.key(store, WrapKind.ENVELOPE_IDENTITY, names.envelope(envelope))
    if key is None:
        return None
    return open_identity(ring.vault, key, store.find(IdentityHeader, envelope=envelope))


def _instance_row(vault: str, circle: str, row: StoredObject, key: Key) -> InstanceRow:
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
