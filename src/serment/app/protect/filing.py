"""Files what arrived: attaches envelopes to patients, moves their keys, and undoes it.

Who an arrival belongs to is decided by `core.records.filing`. One transaction claims an envelope:
patients made meanwhile by another session are learnt inside it, so two sessions filing at once
make one patient. A session without the care circle files the identity only; the envelope seed
follows when a carer's session is open (`move_clinical`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from serment.app import circles, wrapping
from serment.app.house import House
from serment.app.keyring import Keyring
from serment.app.protect.tables import open_identity, study_rows
from serment.core.crypto.entropy import new_id
from serment.core.crypto.keys import new_key
from serment.core.crypto.secret import Key, Seed
from serment.core.crypto.wraps import open_value, seal_value
from serment.core.journal.entries import Entry, EventKind
from serment.core.records import contexts
from serment.core.records.book import PatientBook
from serment.core.records.filing import Ask, FileWith, NewPatient, decide
from serment.core.records.identity import Identity, read_identity
from serment.core.records.vault import (
    Compartment,
    Envelope,
    IdentityHeader,
    Patient,
    Wrap,
    WrapKind,
)
from serment.errors import N_, AccessDenied, Conflict, NotFound
from serment.ports import Store, StudyRow, Transaction

AT_ONCE = 200  # envelopes filed in one transaction
AUTOMATIC = "automatic"


class _Nothing(Exception):
    """Nothing was left to claim: the transaction is undone and not journalled."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An arrival that a person must file, and whom it may belong to."""

    row: StudyRow
    identity: Identity
    ask: Ask


class Filing:
    """The patients an identity circle knows, and the filing of what waits."""

    def __init__(self, house: House, ring: Keyring) -> None:
        """`ring` holds an identity circle's seed (secretariat or DPO)."""
        self.house, self.ring = house, ring
        self.book = PatientBook()
        self._made = 0

    # Patients

    def learn(self, store: Store | Transaction | None = None) -> None:
        """Know the patients made since the last look."""
        if store is None and self.house.store.count(Patient) == self._made:
            return
        source = store or self.house.store
        patients = source.find(Patient)
        wraps: dict[str, list[Wrap]] = {}
        if len(patients) - self._made > 50:
            for wrap in source.find(Wrap, kind=WrapKind.PATIENT_IDENTITY):
                wraps.setdefault(wrap.subject, []).append(wrap)
        for patient in patients:
            if patient.id in self.book:
                continue
            subject = f"patient:{patient.id}"
            found = wraps.get(subject) or source.find(
                Wrap, kind=WrapKind.PATIENT_IDENTITY, subject=subject
            )
            key = self.ring.key_from(self.house.store, WrapKind.PATIENT_IDENTITY, subject, found)
            if key is not None:
                self.book.put(patient.id, _identity(self.house.vault, patient, key))
        self._made = len(patients)

    def identity(self, patient: str) -> Identity:
        found = self.book.get(patient)
        if found is None:
            self.learn()
            found = self.book.get(patient)
        if found is None:
            raise NotFound(
                N_("there is no patient {patient}"),
                hint=N_("find the patient's id with `serment search`"),
                patient=patient,
            )
        return found

    # Filing

    def file_waiting(self, actor: str) -> int:
        """File what needs no person; how many envelopes were filed."""
        self.learn()
        waiting = [e for e in self.house.store.find(Envelope, patient=None) if not e.decided_by]
        filed = 0
        for start in range(0, len(waiting), AT_ONCE):
            rows = study_rows(self.house.store, self.ring, "", waiting[start : start + AT_ONCE])
            filed += self._file_batch(rows, actor)
        return filed

    def _file_batch(self, rows: list[StudyRow], actor: str) -> int:
        entry = Entry(EventKind.FILED, self.house.clock.now(), actor, {"how": AUTOMATIC})
        filed: list[list[str]] = []
        try:
            with self._claiming(entry) as tx:
                for row in rows:
                    patient = self._file_one(tx, row)
                    if patient is not None:
                        filed.append([row.envelope, patient])
                if not filed:
                    raise _Nothing
                tx.note(filed=filed, envelopes=[envelope for envelope, _ in filed])
        except _Nothing:
            return 0
        return len(filed)

    @contextmanager
    def _claiming(self, entry: Entry) -> Iterator[Transaction]:
        """A transaction that knows the patients made meanwhile, and forgets its own if undone."""
        try:
            with self.house.store.change(entry) as tx:
                self.learn(tx)
                yield tx
        except BaseException:
            self.book, self._made = PatientBook(), 0
            raise

    def _file_one(self, tx: Transaction, row: StudyRow) -> str | None:
        envelope = tx.get(Envelope, row.envelope)
        if envelope is None or envelope.patient is not None or envelope.decided_by:
            return None
        attached = row.attributes.get("Patient")
        if isinstance(attached, str):
            return (
                self._attach(tx, envelope, row, attached, None) if attached in self.book else None
            )
        identity = self._arrival(row, envelope)
        match decide(identity, None, self.book.candidates(identity)):
            case FileWith(patient):
                return self._attach(tx, envelope, row, patient, None)
            case NewPatient():
                return self._attach(tx, envelope, row, self._make_patient(tx, identity), None)
            case Ask():
                return None

    def _arrival(self, row: StudyRow, envelope: Envelope) -> Identity:
        return read_identity(row.attributes).sent_by(envelope.device or envelope.source)

    def file(self, actor: str, envelope_id: str, patient: str | None) -> str:
        """A person decides: attach to that patient, or to a new one (None). The patient's id.

        Raises:
            Conflict: somebody else was faster.
            NotFound, AccessDenied: no such envelope, or its identity cannot be opened here.
        """
        row = self._row(envelope_id)
        entry = Entry(
            EventKind.FILED,
            self.house.clock.now(),
            actor,
            {"how": "person", "envelope": envelope_id},
        )
        with self._claiming(entry) as tx:
            envelope = tx.get(Envelope, envelope_id)
            if envelope is None or envelope.patient is not None:
                raise Conflict(N_("this arrival was filed meanwhile"), hint=N_("reload the list"))
            identity = self._arrival(row, envelope)
            if patient is None:
                patient = self._make_patient(tx, identity)
            elif patient not in self.book:
                raise NotFound(N_("there is no patient {patient}"), patient=patient)
            self._attach(tx, envelope, row, patient, actor)
            tx.note(filed=[[envelope_id, patient]])
        return patient

    def _make_patient(self, tx: Transaction, identity: Identity) -> str:
        patient, key = new_id(), new_key()
        subject = f"patient:{patient}"
        all_circles = circles.current(tx)
        sealed = seal_value(
            identity.encode(), key, contexts.identity_record(self.house.vault, patient)
        )
        tx.add(Patient(patient, sealed, self.house.clock.now()))
        for circle in circles.identity_readers(all_circles):
            tx.put(
                wrapping.to_circle(
                    self.house.vault, WrapKind.PATIENT_IDENTITY, subject, key, circle, self.ring
                )
            )
        self.ring.remember(subject, key)
        self.book.put(patient, identity)
        return patient

    def _attach(
        self, tx: Transaction, envelope: Envelope, row: StudyRow, patient: str, actor: str | None
    ) -> str:
        """Move the identity header key under the patient's identity key; drop the arrival wraps."""
        key = self._patient_key(tx, patient)
        subject = f"envelope:{envelope.id}"
        held = tx.find(Wrap, kind=WrapKind.ENVELOPE_IDENTITY, subject=subject)
        header_key = self.ring.key_from(self.house.store, WrapKind.ENVELOPE_IDENTITY, subject, held)
        if header_key is None:
            raise AccessDenied(N_("no key of yours opens this arrival"))
        for wrap in held:
            tx.delete(wrap)
        tx.put(
            wrapping.to_parent(
                self.house.vault,
                WrapKind.ENVELOPE_IDENTITY,
                subject,
                header_key,
                f"patient:{patient}",
                key,
            )
        )
        summary = seal_value(
            json.dumps(summary_of(row)).encode(),
            key,
            contexts.summary(self.house.vault, envelope.id),
        )
        tx.put(replace(envelope, patient=patient, decided_by=actor, summary=summary))
        return patient

    def _patient_key(self, tx: Transaction, patient: str) -> Key:
        subject = f"patient:{patient}"
        wraps = tx.find(Wrap, kind=WrapKind.PATIENT_IDENTITY, subject=subject)
        key = self.ring.key_from(self.house.store, WrapKind.PATIENT_IDENTITY, subject, wraps)
        if key is None:
            raise AccessDenied(N_("no key of yours opens this patient"))
        return key

    def unfile(self, actor: str, envelope_id: str) -> None:
        """Take an envelope off its patient: it waits for a person again, readable as on arrival.

        The clinical key follows with the next carer's session."""
        entry = Entry(EventKind.UNFILED, self.house.clock.now(), actor, {"envelope": envelope_id})
        with self.house.store.change(entry) as tx:
            envelope = tx.get(Envelope, envelope_id)
            if envelope is None or envelope.patient is None:
                raise Conflict(N_("this arrival is not filed"), hint=N_("reload the list"))
            subject = f"envelope:{envelope_id}"
            held = tx.find(Wrap, kind=WrapKind.ENVELOPE_IDENTITY, subject=subject)
            key = self.ring.key_from(self.house.store, WrapKind.ENVELOPE_IDENTITY, subject, held)
            if key is None:
                raise AccessDenied(N_("no key of yours opens this arrival"))
            for wrap in held:
                tx.delete(wrap)
            for circle in circles.identity_readers(circles.current(tx)):
                tx.put(
                    wrapping.to_circle(
                        self.house.vault,
                        WrapKind.ENVELOPE_IDENTITY,
                        subject,
                        key,
                        circle,
                        self.ring,
                    )
                )
            tx.put(replace(envelope, patient=None, decided_by=actor, summary=None))
            tx.note(patient=envelope.patient)

    # What waits for a person

    def waiting(self) -> list[Waiting]:
        """Arrivals that are not filed, with whom they may belong to."""
        self.learn()
        envelopes = self.house.store.find(Envelope, patient=None)
        by_id = {e.id: e for e in envelopes}
        found = []
        for row in study_rows(self.house.store, self.ring, "", envelopes):
            identity = self._arrival(row, by_id[row.envelope])
            match decide(identity, None, self.book.candidates(identity)):
                case Ask() as ask:
                    found.append(Waiting(row, identity, ask))
                case _:
                    found.append(Waiting(row, identity, Ask((), ())))
        return found

    def _row(self, envelope_id: str) -> StudyRow:
        envelope = self.house.store.get(Envelope, envelope_id)
        rows = study_rows(self.house.store, self.ring, "", [envelope] if envelope else [])
        if not rows:
            raise NotFound(N_("there is no such arrival"), hint=N_("reload the list"))
        return rows[0]


def share_with_new_readers(house: House, ring: Keyring, actor: str) -> int:
    """After the first DPO came: wrap patients' identity keys, and those of arrivals that wait,
    to the circle that was not there before. How many wraps were made."""
    made = 0
    readers = circles.identity_readers(circles.current(house.store))
    for kind, prefix in (
        (WrapKind.PATIENT_IDENTITY, "patient:"),
        (WrapKind.ENVELOPE_IDENTITY, "envelope:"),
    ):
        missing = _missing(house.store, kind, prefix, {_recipient(c.id) for c in readers})
        if not missing:
            continue
        entry = Entry(EventKind.KEYS_MOVED, house.clock.now(), actor, {"why": "new-reader"})
        with house.store.change(entry) as tx:
            for subject, recipients in missing.items():
                key = ring.key(house.store, kind, subject)
                for circle in readers if key else ():
                    if key is not None and _recipient(circle.id) in recipients:
                        tx.put(wrapping.to_circle(house.vault, kind, subject, key, circle, ring))
                        made += 1
    return made


def _recipient(circle: str) -> str:
    return circle if circle == circles.RECOVERY else f"circle:{circle}"


def _missing(store: Store, kind: WrapKind, prefix: str, readers: set[str]) -> dict[str, set[str]]:
    held: dict[str, set[str]] = {}
    for wrap in store.find(Wrap, kind=kind):
        held.setdefault(wrap.subject, set()).add(wrap.recipient)
    return {
        subject: readers - recipients
        for subject, recipients in held.items()
        if subject.startswith(prefix)
        and readers - recipients
        and not any(r.startswith("patient:") for r in recipients)
    }


def move_clinical(house: House, ring: Keyring, circle: str, actor: str) -> int:
    """In a carer's session: put envelope seeds under the clinical key of the patient they were
    filed to (or back under the circle's when they were unfiled). How many moved."""
    stray = [e for e in house.store.find(Envelope, circle=circle) if _is_stray(house.store, e)]
    for start in range(0, len(stray), AT_ONCE):
        entry = Entry(EventKind.KEYS_MOVED, house.clock.now(), actor, {"circle": circle})
        with house.store.change(entry) as tx:
            batch = stray[start : start + AT_ONCE]
            for envelope in batch:
                _move_one(house, tx, ring, circle, envelope.id)
            tx.note(envelopes=[e.id for e in batch])
    return len(stray)


def _is_stray(store: Store | Transaction, envelope: Envelope) -> bool:
    if envelope.compartment is None:
        return envelope.patient is not None
    compartment = store.get(Compartment, envelope.compartment)
    return compartment is None or compartment.patient != envelope.patient


def _move_one(house: House, tx: Transaction, ring: Keyring, circle: str, envelope_id: str) -> None:
    envelope = tx.get(Envelope, envelope_id)
    if envelope is None or not _is_stray(tx, envelope):
        return
    subject = f"envelope:{envelope_id}"
    held = tx.find(Wrap, kind=WrapKind.ENVELOPE_SEED, subject=subject)
    secret = ring.key_from(house.store, WrapKind.ENVELOPE_SEED, subject, held)
    if secret is None:
        return
    seed = Seed(secret.reveal())
    if envelope.patient is None:
        compartment_id = None
        all_circles = circles.current(tx)
        new = [
            wrapping.to_circle(house.vault, WrapKind.ENVELOPE_SEED, subject, seed, c, ring)
            for c in (all_circles[circle], all_circles[circles.RECOVERY])
        ]
    else:
        compartment_id, key = _compartment(house, tx, ring, envelope.patient, circle)
        new = [
            wrapping.to_parent(
                house.vault,
                WrapKind.ENVELOPE_SEED,
                subject,
                seed,
                f"compartment:{compartment_id}",
                key,
            )
        ]
    for wrap in held:
        tx.delete(wrap)
    for wrap in new:
        tx.put(wrap)
    tx.put(replace(envelope, compartment=compartment_id))


def _compartment(
    house: House, tx: Transaction, ring: Keyring, patient: str, circle: str
) -> tuple[str, Key]:
    """The clinical compartment of a patient for a care circle; made by the first who files."""
    found = tx.find(Compartment, patient=patient, circle=circle)
    if found:
        subject = f"compartment:{found[0].id}"
        wraps = tx.find(Wrap, kind=WrapKind.PATIENT_CLINICAL, subject=subject)
        key = ring.key_from(house.store, WrapKind.PATIENT_CLINICAL, subject, wraps)
        if key is None:
            raise AccessDenied(N_("no key of yours opens this compartment"))
        return found[0].id, key
    compartment, key = new_id(), new_key()
    tx.add(Compartment(compartment, patient, circle))
    all_circles = circles.current(tx)
    subject = f"compartment:{compartment}"
    for reader in (all_circles[circle], all_circles[circles.RECOVERY]):
        tx.put(
            wrapping.to_circle(house.vault, WrapKind.PATIENT_CLINICAL, subject, key, reader, ring)
        )
    ring.remember(subject, key)
    return compartment, key


def summary_of(row: StudyRow) -> dict[str, Any]:
    """The categories an envelope holds, for the day its content leaks: never its values."""
    named = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "AccessionNumber")
    return {
        "kind": row.kind,
        "modality": row.attributes.get("ModalitiesInStudy", []),
        "date": row.attributes.get("StudyDate", ""),
        "identifiers": [name for name in named if row.attributes.get(name)],
        "special": True,  # data concerning health: GDPR Art. 9(1)
    }


def _identity(vault: str, patient: Patient, key: Key) -> Identity:
    plain = open_value(patient.identity, key, contexts.identity_record(vault, patient.id))
    return Identity.decode(plain)


def identity_attributes(store: Store, ring: Keyring, envelope: Envelope) -> dict[str, Any] | None:
    """The administrative header of one envelope, None when no key opens it."""
    key = ring.key(store, WrapKind.ENVELOPE_IDENTITY, f"envelope:{envelope.id}")
    if key is None:
        return None
    return open_identity(ring.vault, key, store.find(IdentityHeader, envelope=envelope.id))


def count_waiting(store: Store) -> int:
    """Arrivals without a patient."""
    return store.count(Envelope, patient=None)
