"""Receives with public keys only: seals each object, its two headers, and the keys that open them.

The order that makes an acknowledgement true: the envelope, its wraps and the journal entry are
committed (full sync) before its first object is written; the object is acknowledged by the caller
only after `sync`, and only then has it a row: where `sync` fails, nothing of what it was asked for
is listed or counted. Leaves to others: talking to the peer (entry points), what an object says of
itself (`arrivals`), keys (`sealing`), filing, reading.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from serment.app.protect.arrivals import (
    Arrival,
    Bytes,
    check_pdf,
    document_arrival,
    parse_arrival,
)
from serment.app.protect.devices import check_still_allowed
from serment.app.protect.sealing import SealingEnvelope, open_envelope
from serment.core.crypto.age import AgeWriter, seal_bytes
from serment.core.crypto.entropy import new_id
from serment.core.dicom import headers
from serment.core.journal.entries import Entry, EventKind
from serment.core.records.vault import Envelope, Patient, StoredObject
from serment.errors import N_, NotFound, SermentError
from serment.ports import Clock, LargeRecord, Packs, Place, Receipt, Source, Store

ROWS_AT_ONCE = 64
ROWS_AFTER_SECONDS = 0.25
OPEN_AT_ONCE = 32  # envelopes of one reception: a caller that mixes more patients gets more of them
HEADERS_AT_MOST = 256  # distinct administrative headers kept in memory for one envelope
LOOK_AGAIN_SECONDS = 1.0  # at whether the device may still send


class SealedReception:
    """One association or upload request; the `Reception` port."""

    def __init__(
        self, vault: str, store: Store, packs: Packs, clock: Clock, source: Source, circle: str
    ) -> None:
        """`circle`: the care circle that receives, checked by the caller."""
        self._vault, self._store, self._packs, self._clock = vault, store, packs, clock
        self._source, self._circle = source, circle
        self._envelopes: dict[tuple[str, ...], SealingEnvelope] = {}
        self._unconfirmed: list[tuple[SealingEnvelope, StoredObject]] = []  # since the last sync
        self._failure: SermentError | None = None  # of a sync that the caller has not heard of
        self._rows: list[StoredObject] = []
        self._flushed = clock.monotonic() - ROWS_AFTER_SECONDS
        self._checked = clock.monotonic()

    def store(self, data: Bytes) -> Receipt:
        arrival = parse_arrival(data, self._source.study)
        envelope = self._envelope(arrival)
        object_id = new_id()
        age_file = seal_bytes(data, envelope.recipient)
        digest = hashlib.sha256(age_file).digest()
        identity, clinical = self.seal_headers(envelope, arrival, object_id, digest, len(data))
        place = self._packs.append(object_id, envelope.id, age_file, digest, identity, clinical)
        return self.stored(envelope, arrival, object_id, place, clinical)

    def start(self, head: Bytes) -> SealedStream:
        arrival = parse_arrival(head, self._source.study, partial=True)
        stream = SealedStream(self, self._envelope(arrival), arrival, self._packs)
        stream.write(head)
        return stream

    def document(self, pdf: Iterable[bytes], patient: str, title: str) -> Receipt:
        if self._store.get(Patient, patient) is None:
            raise NotFound(
                N_("there is no patient {patient}"),
                hint=N_("find the patient's id with `serment search`"),
                patient=patient,
            )
        chunks = iter(pdf)
        beginning = next(chunks, b"")
        check_pdf(beginning)
        arrival = document_arrival(patient, title, self._clock.now().strftime("%Y%m%d"))
        stream = SealedStream(self, self._envelope(arrival), arrival, self._packs)
        try:
            stream.write(beginning)
            for chunk in chunks:
                stream.write(chunk)
        except BaseException:
            stream.abort()
            raise
        return stream.finish()

    def sync(self) -> None:
        try:
            self._confirm()
        finally:
            self._failure = None
        now = self._clock.monotonic()
        if len(self._rows) >= ROWS_AT_ONCE or now - self._flushed >= ROWS_AFTER_SECONDS:
            self._flush(now)

    def _confirm(self) -> None:
        """What was stored is on disk: now it counts. Where that is not sure, nothing stored since
        the last time does, and the next `sync` says so."""
        try:
            if self._failure is not None:
                raise self._failure
            self._packs.sync()
        except SermentError as error:
            self._failure = error
            self._unconfirmed.clear()
            raise
        for envelope, row in self._unconfirmed:
            envelope.digests.append(row.sha256)
            self._rows.append(row)
        self._unconfirmed.clear()

    def close(self, interrupted: bool = False) -> None:
        kind = EventKind.RECEPTION_INTERRUPTED if interrupted else EventKind.RECEPTION_CLOSED
        try:
            self._confirm()
        finally:
            self._flush(self._clock.monotonic())
            if self._envelopes:
                self._conclude(kind, list(self._envelopes.values()))
            self._envelopes.clear()

    def _conclude(self, kind: EventKind, envelopes: list[SealingEnvelope]) -> None:
        came = {
            e.id: {"objects": e.digests.size, "root": e.digests.root().hex()} for e in envelopes
        }
        close_envelopes(self._store, self._entry(kind, envelopes=came), list(came))

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

    def _envelope(self, arrival: Arrival) -> SealingEnvelope:
        """The envelope the object belongs to, made for the first of its kind; the last one used
        stands last."""
        self._check_device()
        known = self._envelopes.get(arrival.together)
        if known is not None and len(known.identities) >= HEADERS_AT_MOST:
            self._put_away(arrival.together)
        found = self._envelopes.pop(arrival.together, None) or self._begin(arrival)
        self._envelopes[arrival.together] = found
        return found

    def _begin(self, arrival: Arrival) -> SealingEnvelope:
        if len(self._envelopes) >= OPEN_AT_ONCE:
            self._put_away(next(iter(self._envelopes)))
        opened = self._entry(EventKind.RECEPTION_OPENED, circle=self._circle)
        with self._store.change(opened) as tx:
            made = open_envelope(
                self._vault,
                tx,
                self._source,
                self._circle,
                arrival.kind,
                arrival.identity,
                opened.at,
            )
            tx.note(envelope=made.id, kind=arrival.kind.value)
        return made

    def _put_away(self, together: tuple[str, ...]) -> None:
        """Complete an envelope before the reception ends: memory does not grow with a caller."""
        self._confirm()
        self._flush(self._clock.monotonic())
        self._conclude(EventKind.RECEPTION_CLOSED, [self._envelopes[together]])
        del self._envelopes[together]

    def _check_device(self) -> None:
        """A device that was removed sends nothing more in the association it has.

        Raises:
            AccessDenied: it was removed.
        """
        now, device = self._clock.monotonic(), self._source.device
        if device is not None and now - self._checked >= LOOK_AGAIN_SECONDS:
            self._checked = now
            check_still_allowed(self._store, device)

    # Of one object

    def seal_headers(
        self, envelope: SealingEnvelope, arrival: Arrival, object_id: str, digest: bytes, size: int
    ) -> tuple[bytes, bytes]:
        """The administrative and the clinical header, sealed for a file with that digest. A new
        distinct administrative header is committed first. `size`: bytes of the object itself."""
        plain = headers.encode(arrival.identity)
        if plain not in envelope.identities:
            row = envelope.add_identity(plain)
            entry = self._entry(EventKind.RECEPTION_OPENED, envelope=envelope.id, header=row.number)
            with self._store.change(entry) as tx:
                tx.add(row)
        clinical = envelope.seal_clinical(object_id, digest, {**arrival.clinical, "size": size})
        return envelope.identities[plain], clinical

    def stored(
        self,
        envelope: SealingEnvelope,
        arrival: Arrival,
        object_id: str,
        place: Place,
        clinical: bytes,
    ) -> Receipt:
        """It is in its pack: its row follows once it is on disk."""
        row = StoredObject(
            object_id, envelope.id, place.pack, place.offset, place.size, place.sha256, clinical
        )
        self._unconfirmed.append((envelope, row))
        return arrival.receipt(object_id)

    def _flush(self, now: float) -> None:
        if self._rows:
            self._store.add_objects(self._rows)
            self._rows = []
        self._flushed = now


class SealedStream:
    """A large object under way; the `Streaming` port."""

    def __init__(
        self, reception: SealedReception, envelope: SealingEnvelope, arrival: Arrival, packs: Packs
    ) -> None:
        self._reception, self._envelope, self._arrival = reception, envelope, arrival
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
        self._record.write(self._age.finish())
        identity, clinical = self._reception.seal_headers(
            self._envelope, self._arrival, self._object_id, self._record.digest(), self._size
        )
        place = self._record.finish(identity, clinical)
        self._open = False
        return self._reception.stored(
            self._envelope, self._arrival, self._object_id, place, clinical
        )

    def abort(self) -> None:
        if self._open:
            self._open = False
            self._record.abort()


def close_envelopes(store: Store, entry: Entry, envelopes: list[str]) -> None:
    """Mark envelopes as complete under the entry that says what came."""
    with store.change(entry) as tx:
        for envelope_id in envelopes:
            row = tx.get(Envelope, envelope_id)
            if row is not None:
                tx.put(replace(row, closed=True))
