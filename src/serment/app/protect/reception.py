"""Receives with public keys only: seals each object, its two headers, and the keys that open them.

The order that makes an acknowledgement true: the envelope, its wraps and the journal entry are
committed (full sync) before its first object is written; the object is acknowledged by the caller
only after `sync`. Nothing that opens the envelope is kept but the header keys, and those go with
the association. Leaves to others: talking to the peer, filing, reading.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from serment.app import circles
from serment.app.wrapping import Wrapper, put_all
from serment.core.crypto.age import AgeWriter, HybridRecipient, seal_bytes
from serment.core.crypto.entropy import new_id
from serment.core.crypto.keys import new_key, new_seed, public_key, subkey
from serment.core.crypto.merkle import Frontier
from serment.core.crypto.secret import Key
from serment.core.crypto.wraps import seal_value
from serment.core.dicom import headers, part10, uids
from serment.core.dicom.walker import walk
from serment.core.journal.entries import Entry, EventKind
from serment.core.records import contexts, names
from serment.core.records.vault import (
    Circle,
    Envelope,
    EnvelopeKind,
    IdentityHeader,
    Patient,
    StoredObject,
    WrapKind,
)
from serment.errors import N_, AccessDenied, FormatError, Mismatch, NotFound
from serment.ports import Clock, LargeRecord, Packs, Place, Receipt, Source, Store

Bytes = bytes | bytearray | memoryview

CLINICAL = "clinical-header"  # label of the subkey of an envelope seed
HEAD_LIMIT = 4 * 1024 * 1024  # bytes in which a header must end
ROWS_AT_ONCE = 64
ROWS_AFTER_SECONDS = 0.25
PATIENT_KEYS = (
    "PatientID",
    "IssuerOfPatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
)
PDF_CLASS = "1.2.840.10008.5.1.4.1.1.104.1"  # Encapsulated PDF Storage (PS3.4 B.5)


@dataclass(slots=True)
class _Open:
    """An envelope under way: what can still be added to it, nothing that opens its objects."""

    id: str
    recipient: HybridRecipient
    clinical_key: Key
    identity_key: Key
    headers: dict[bytes, bytes] = field(default_factory=dict)  # plain -> sealed
    digests: Frontier = field(default_factory=Frontier)


class SealedReception:
    """One association or upload request; the `Reception` port."""

    def __init__(
        self, vault: str, store: Store, packs: Packs, clock: Clock, source: Source, circle: Circle
    ) -> None:
        self._vault, self._store, self._packs, self._clock = vault, store, packs, clock
        self._source, self._circle = source, circle
        self._envelopes: dict[tuple[str, ...], _Open] = {}
        self._rows: list[StoredObject] = []
        self._flushed = clock.monotonic() - ROWS_AFTER_SECONDS

    def store(self, data: Bytes) -> Receipt:
        parsed = self._parsed(data)
        parsed.clinical["size"] = len(data)
        envelope = self._envelope(parsed.identity, parsed.kind)
        object_id = new_id()
        age_file = seal_bytes(data, envelope.recipient)
        digest = hashlib.sha256(age_file).digest()
        identity = self._identity_header(envelope, parsed.identity)
        clinical = self._clinical_header(envelope, object_id, digest, parsed.clinical)
        place = self._packs.append(object_id, envelope.id, age_file, digest, identity, clinical)
        self._stored(envelope, object_id, place, clinical)
        return parsed.receipt(object_id)

    def start(self, head: Bytes) -> SealedStream:
        parsed = self._parsed(head, partial=True)
        envelope = self._envelope(parsed.identity, parsed.kind)
        stream = SealedStream(self, envelope, parsed, self._packs)
        stream.write(head)
        return stream

    def document(self, pdf: Iterable[bytes], patient: str, title: str) -> Receipt:
        if self._store.get(Patient, patient) is None:
            raise NotFound(
                N_("there is no patient {patient}"),
                hint=N_("find the patient's id with `serment search`"),
                patient=patient,
            )
        parsed = _document(patient, title, self._clock.now().strftime("%Y%m%d"))
        stream: SealedStream | None = None
        try:
            for chunk in pdf:
                if stream is None:
                    _check_pdf(chunk)
                    envelope = self._envelope(parsed.identity, parsed.kind)
                    stream = SealedStream(self, envelope, parsed, self._packs)
                stream.write(chunk)
        except BaseException:
            if stream is not None:
                stream.abort()
            raise
        if stream is None:
            _check_pdf(b"")
            raise AssertionError
        return stream.finish()

    def sync(self) -> None:
        self._packs.sync()
        now = self._clock.monotonic()
        if len(self._rows) >= ROWS_AT_ONCE or now - self._flushed >= ROWS_AFTER_SECONDS:
            self._flush(now)

    def close(self, interrupted: bool = False) -> None:
        self._packs.sync()
        self._flush(self._clock.monotonic())
        kind = EventKind.RECEPTION_INTERRUPTED if interrupted else EventKind.RECEPTION_CLOSED
        if self._envelopes:
            came = {
                e.id: {"objects": e.digests.size, "root": e.digests.root().hex()}
                for e in self._envelopes.values()
            }
            close_envelopes(self._store, self._entry(kind, envelopes=came), list(came))
        self._envelopes.clear()

    def _parsed(self, data: Bytes, *, partial: bool = False) -> _Parsed:
        parsed = _parse(data, partial=partial)
        if self._source.study not in (None, parsed.clinical["StudyInstanceUID"]):
            raise Mismatch(N_("the object belongs to another study than the one it is sent to"))
        return parsed

    def _entry(self, kind: EventKind, **details: Any) -> Entry:
        source = self._source
        actor = source.member or source.device or source.kind
        common = {
            "source": source.kind,
            "peer": source.peer,
            "local": source.local,
            "tls": source.tls,
        }
        return Entry(kind, self._clock.now(), actor, {**common, **details})

    def _envelope(self, identity: dict[str, Any], kind: EnvelopeKind) -> _Open:
        key = (
            str(identity.get("StudyInstanceUID", "")),
            *(str(identity.get(name, "")) for name in PATIENT_KEYS),
        )
        found = self._envelopes.get(key)
        if found is None:
            found = self._new_envelope(identity, kind)
            self._envelopes[key] = found
        return found

    def _new_envelope(self, identity: dict[str, Any], kind: EnvelopeKind) -> _Open:
        seed, identity_key, envelope_id = new_seed(), new_key(), new_id()
        public = public_key(seed)
        opened = _Open(envelope_id, HybridRecipient(public), subkey(seed, CLINICAL), identity_key)
        all_circles = circles.current(self._store)
        subject = names.envelope(envelope_id)
        entry = self._entry(
            EventKind.RECEPTION_OPENED, envelope=envelope_id, circle=self._circle.id
        )
        row = Envelope(
            envelope_id,
            kind,
            self._circle.id,
            self._source.device,
            self._source.kind,
            self._clock.now(),
            public,
        )
        with self._store.change(entry) as tx:
            tx.add(row)
            clinical = Wrapper(self._vault, WrapKind.ENVELOPE_SEED, subject, seed)
            put_all(tx, clinical.to_circles([self._circle, all_circles[circles.RECOVERY]]))
            administrative = Wrapper(self._vault, WrapKind.ENVELOPE_IDENTITY, subject, identity_key)
            put_all(tx, administrative.to_circles(circles.identity_readers(all_circles)))
            tx.add(self._seal_identity(opened, headers.encode(identity)))
        return opened

    def _seal_identity(self, envelope: _Open, plain: bytes) -> IdentityHeader:
        number = len(envelope.headers)
        context = contexts.identity_header(self._vault, envelope.id, number)
        sealed = seal_value(plain, envelope.identity_key, context)
        envelope.headers[plain] = sealed
        return IdentityHeader(envelope.id, number, sealed)

    def _identity_header(self, envelope: _Open, identity: dict[str, Any]) -> bytes:
        """The sealed administrative header; a new distinct one is committed first."""
        plain = headers.encode(identity)
        if plain not in envelope.headers:
            row = self._seal_identity(envelope, plain)
            entry = self._entry(EventKind.RECEPTION_OPENED, envelope=envelope.id, header=row.number)
            with self._store.change(entry) as tx:
                tx.add(row)
        return envelope.headers[plain]

    def _clinical_header(
        self, envelope: _Open, object_id: str, digest: bytes, clinical: dict[str, Any]
    ) -> bytes:
        context = contexts.clinical_header(self._vault, object_id, envelope.id, digest)
        return seal_value(headers.encode(clinical), envelope.clinical_key, context)

    def _stored(self, envelope: _Open, object_id: str, place: Place, clinical: bytes) -> None:
        envelope.digests.append(place.sha256)
        self._rows.append(
            StoredObject(
                object_id,
                envelope.id,
                place.pack,
                place.offset,
                place.size,
                place.sha256,
                clinical,
            )
        )

    def _flush(self, now: float) -> None:
        if self._rows:
            self._store.add_objects(self._rows)
            self._rows = []
        self._flushed = now


class SealedStream:
    """A large object under way; the `Streaming` port."""

    def __init__(
        self, reception: SealedReception, envelope: _Open, parsed: _Parsed, packs: Packs
    ) -> None:
        self._reception, self._envelope, self._parsed = reception, envelope, parsed
        self._object_id = new_id()
        self._age = AgeWriter([envelope.recipient])
        self._record: LargeRecord = packs.large(self._object_id, envelope.id)
        self._record.write(self._age.header())
        self._size = 0
        self._open = True

    def write(self, chunk: Bytes) -> None:
        self._size += len(chunk)
        self._record.write(self._age.update(chunk))

    def finish(self) -> Receipt:
        reception, parsed = self._reception, self._parsed
        self._record.write(self._age.finish())
        digest = self._record.digest()
        parsed.clinical["size"] = self._size
        identity = reception._identity_header(self._envelope, parsed.identity)
        clinical = reception._clinical_header(
            self._envelope, self._object_id, digest, parsed.clinical
        )
        place = self._record.finish(identity, clinical)
        self._open = False
        reception._stored(self._envelope, self._object_id, place, clinical)
        return parsed.receipt(self._object_id)

    def abort(self) -> None:
        if self._open:
            self._open = False
            self._record.abort()


@dataclass(slots=True)
class _Parsed:
    identity: dict[str, Any]
    clinical: dict[str, Any]
    sop_class: str
    sop_instance: str
    kind: EnvelopeKind

    def receipt(self, object_id: str) -> Receipt:
        study, series = (str(self.clinical[f"{k}InstanceUID"]) for k in ("Study", "Series"))
        return Receipt(object_id, self.sop_class, self.sop_instance, study, series)


def _parse(data: Bytes, *, partial: bool = False) -> _Parsed:
    """`partial`: the data set may go on after these bytes, even within an element."""
    meta = part10.read_meta(data)
    view = memoryview(data)[meta.dataset_offset : HEAD_LIMIT]
    header = walk(view, meta.transfer_syntax, partial=partial)
    identity, clinical = headers.split(header, meta)
    for name in ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        if not uids.is_uid(str(clinical.get(name, ""))):
            raise FormatError(
                N_("the object has no valid {attribute}"),
                hint=N_("ask the maker of the device; Serment keeps only what it can find again"),
                attribute=name,
            )
    if (clinical["SOPClassUID"], clinical["SOPInstanceUID"]) != (meta.sop_class, meta.sop_instance):
        raise Mismatch(N_("the UIDs announced are not those of the data set"))
    kind = EnvelopeKind(uids.kind_of(meta.sop_class))
    return _Parsed(identity, clinical, meta.sop_class, meta.sop_instance, kind)


def _document(patient: str, title: str, today: str) -> _Parsed:
    study, series, instance = (uids.new_uid(new_id()) for _ in range(3))
    identity = {
        "StudyInstanceUID": study,
        "StudyDate": today,
        "Modality": "DOC",
        "Patient": patient,
    }
    clinical = {
        "SOPClassUID": PDF_CLASS,
        "SOPInstanceUID": instance,
        "StudyInstanceUID": study,
        "SeriesInstanceUID": series,
        "Modality": "DOC",
        "SeriesDescription": title,
        "MIMETypeOfEncapsulatedDocument": "application/pdf",
    }
    return _Parsed(identity, clinical, PDF_CLASS, instance, EnvelopeKind.DOCUMENT)


def _check_pdf(chunk: bytes) -> None:
    if not chunk.startswith(b"%PDF-"):
        raise FormatError(
            N_("this is not a PDF document"), hint=N_("only PDF documents can be attached")
        )


def close_envelopes(store: Store, entry: Entry, envelopes: list[str]) -> None:
    """Mark envelopes as complete under the entry that says what came."""
    with store.change(entry) as tx:
        for envelope_id in envelopes:
            row = tx.get(Envelope, envelope_id)
            if row is not None:
                tx.put(replace(row, closed=True))


def choose_circle(store: Store, wanted: str | None) -> Circle:
    """The care circle that receives: the one named, `care`, or the only one there is.

    Raises:
        AccessDenied: nobody could open what arrives, or nobody should (stopped circle).
    """
    care = {name: c for name, c in circles.current(store).items() if circles.is_care(c)}
    if not care:
        raise AccessDenied(
            N_("no doctor yet: nobody could open what arrives"),
            hint=N_("add the first doctor: `serment member add LOGIN --role doctor`"),
        )
    name = wanted or ("care" if "care" in care or len(care) > 1 else next(iter(care)))
    if name not in care:
        raise AccessDenied(
            N_("there is no care circle {circle}"),
            hint=N_("care circles: {known}"),
            circle=name,
            known=", ".join(sorted(care)),
        )
    secretariat = circles.current(store).get(circles.SECRETARIAT)
    if care[name].stopped or (secretariat is not None and secretariat.stopped):
        raise AccessDenied(
            N_("receiving for the circle {circle} is stopped: its public key was changed"),
            hint=N_("run `serment journal verify` and call your DPO"),
            circle=name,
        )
    return care[name]
