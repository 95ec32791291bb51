"""Receives with public keys only: seals each object, its two headers, and the keys that open them.

The order that makes an acknowledgement true: the envelope, its wraps and the journal entry are
committed (full sync) before its first object is written; the object is acknowledged by the caller
only after `sync`, and only then has it a row: where `sync` fails, nothing of what it was asked for
is listed or counted. Leaves to others: talking to the peer (entry points), what an object says of
itself (`arrivals`), keys (`sealing`), filing, reading.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from serment.app.protect.arrivals import Arrival, check_pdf, document_arrival
from serment.app.protect.devices import check_still_allowed
from serment.app.protect.incoming import Incoming, SealedFile
from serment.app.protect.sealing import Readers, SealingEnvelope, open_envelope, readers_now
from serment.core.crypto.age.buffers import Reused
from serment.core.dicom import headers
from serment.core.journal.entries import Entry, EventKind
from serment.core.records.vault import Envelope, EnvelopeKind, Patient, StoredObject
from serment.errors import N_, NotFound, SermentError
from serment.ports import Clock, Packs, Receipt, Source, Store

ROWS_AT_ONCE = 64
ROWS_AFTER_SECONDS = 0.25
OPEN_AT_ONCE = 32  # envelopes of one reception: a caller that mixes more patients gets more of them
HEADERS_AT_MOST = 256  # distinct administrative headers kept in memory for one envelope
LOOK_AGAIN_SECONDS = 1.0  # at whether the device may still send, and whose keys are sealed to
ONE_BY_ONE = frozenset({"dicom"})  # sources that wait for each object to be on disk
_HEAD = 256 * 1024  # bytes of memory kept from one object to the next


class SealedReception:
    """One association or upload request; the `Reception` port."""

    def __init__(
        self, vault: str, store: Store, packs: Packs, clock: Clock, source: Source, circle: str
    ) -> None:
        """`circle`: the care circle that receives, checked by the caller."""
        self._vault, self._store, self._packs, self._clock = vault, store, packs, clock
        self._source, self._circle, self.study = source, circle, source.study
        self._head, self._sealed = Reused(_HEAD), packs.room(source.kind in ONE_BY_ONE)
        self._envelopes: dict[tuple[str, ...], SealingEnvelope] = {}
        # Since the last sync: what was stored, and the kind it is of.
        self._unconfirmed: list[tuple[SealingEnvelope, StoredObject, EnvelopeKind]] = []
        self._failure: SermentError | None = None  # of a sync that the caller has not heard of
        self._rows: list[StoredObject] = []
        self._flushed = clock.monotonic() - ROWS_AFTER_SECONDS
        self._checked = clock.monotonic()
        self._readers: Readers = frozenset()  # who were to open what comes, when last looked at

    def start(self) -> Incoming:
        return Incoming(self, self._head)

    def prepare(self, at_least: int = 1) -> None:
        for last in reversed(self._envelopes.values()):
            last.prepare(at_least)
            break

    def settle(self) -> None:
        self._flush(self._clock.monotonic())

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
        stream = self.start()
        try:
            stream.known(arrival)
            stream.write(beginning)
            for chunk in chunks:
                stream.write(chunk)
            return stream.finish()
        except BaseException:
            stream.abort()
            raise

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
        for envelope, row, what in self._unconfirmed:
            envelope.brought(row.sha256, what)
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
        came = {envelope.id: envelope.what_came for envelope in envelopes}
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

    def _usable(self, together: tuple[str, ...]) -> SealingEnvelope | None:
        """The envelope that is open for such objects, unless it has headers enough or whoever was
        to open it is not who is to open what comes now."""
        self._check()
        known = self._envelopes.get(together)
        if known is None or len(known.identities) >= HEADERS_AT_MOST:
            return None
        return known if known.readers == self._readers else None

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
        self._readers = made.readers
        return made

    def _put_away(self, together: tuple[str, ...]) -> None:
        """Complete an envelope before the reception ends: memory does not grow with a caller."""
        self._confirm()
        self._flush(self._clock.monotonic())
        self._conclude(EventKind.RECEPTION_CLOSED, [self._envelopes[together]])
        del self._envelopes[together]

    def _check(self) -> None:
        """What changed since the reception began holds for the rest of it: at most once a second,
        but for each object from the first that was refused.

        Raises:
            AccessDenied: the device was removed, or the circle may not receive any more.
        """
        now, device = self._clock.monotonic(), self._source.device
        if now - self._checked < LOOK_AGAIN_SECONDS:
            return
        if device is not None:
            check_still_allowed(self._store, device)
        self._readers = readers_now(self._store, self._circle)
        self._checked = now

    # Of one object

    def join(self, arrival: Arrival) -> SealedFile | None:
        together = arrival.together
        found = self._usable(together)
        return None if found is None else self._file(together, found)

    def begin(self, arrival: Arrival) -> SealedFile:
        together = arrival.together
        found = self._usable(together)
        if found is None and together in self._envelopes:
            self._put_away(together)
        return self._file(together, found or self._begin(arrival))

    def _file(self, together: tuple[str, ...], envelope: SealingEnvelope) -> SealedFile:
        """An empty file; the envelope used last stands last."""
        self._envelopes.pop(together, None)
        self._envelopes[together] = envelope
        return SealedFile(self._packs, envelope, envelope.writer(), self._sealed)

    def keep(self, arrival: Arrival, file: SealedFile) -> Receipt:
        """It goes into its pack: its row follows once it is on disk."""
        self._check()
        envelope, digest = file.envelope, file.digest()
        identity = self._identity(envelope, arrival)
        clinical = envelope.seal_clinical(
            file.object_id, digest, {**arrival.clinical, "size": file.size}
        )
        place = file.place(digest, identity, clinical)
        row = StoredObject(
            file.object_id, envelope.id, place.pack, place.offset, place.size, digest, clinical
        )
        self._unconfirmed.append((envelope, row, arrival.kind))
        return arrival.receipt(file.object_id)

    def _identity(self, envelope: SealingEnvelope, arrival: Arrival) -> bytes:
        """The administrative header, sealed; a new distinct one is committed first."""
        plain = headers.encode(arrival.identity)
        if plain not in envelope.identities:
            row = envelope.add_identity(plain)
            entry = self._entry(EventKind.RECEPTION_OPENED, envelope=envelope.id, header=row.number)
            with self._store.change(entry) as tx:
                tx.add(row)
        return envelope.identities[plain]

    def _flush(self, now: float) -> None:
        if self._rows:
            self._store.add_objects(self._rows)
            self._rows = []
        self._flushed = now


def close_envelopes(store: Store, entry: Entry, envelopes: list[str]) -> None:
    """Mark envelopes as complete under the entry that says what came."""
    with store.change(entry) as tx:
        for envelope_id in envelopes:
            row = tx.get(Envelope, envelope_id)
            if row is not None:
                tx.put(replace(row, closed=True))
