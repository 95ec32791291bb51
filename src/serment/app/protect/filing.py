"""Files what arrived: attaches envelopes to patients, and undoes it.

Who an arrival belongs to is decided by `core.records.filing`. One transaction claims an envelope:
patients made meanwhile by another session are learnt inside it, so two sessions filing at once
make one patient. Only the identity is filed here: the envelope's seed follows when a carer's
session is open (`moving`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from serment.app import circles
from serment.app.batches import batches
from serment.app.house import House
from serment.app.protect.tables import CircleTable
from serment.app.steps import Steps
from serment.app.wrapping import Wrapper, replace_wraps
from serment.core.crypto.secret import Key
from serment.core.crypto.wraps import seal_value
from serment.core.journal.entries import Entry, EventKind
from serment.core.records import contexts, names
from serment.core.records.book import PatientBook
from serment.core.records.filing import Ask, Decision, FileWith, NewPatient, decide, missing_fields
from serment.core.records.identity import Identity, read_identity
from serment.core.records.vault import Envelope, Wrap, WrapKind
from serment.errors import N_, AccessDenied, Conflict, NotFound
from serment.ports import Matches, OneOf, Store, StudyRow, Transaction

AT_ONCE = 200  # envelopes filed in one transaction
AUTOMATIC = "automatic"
RELOAD = N_("reload the list")


@dataclass(frozen=True, slots=True)
class Waiting:
    """An arrival that a person must file, and whom it may belong to."""

    row: StudyRow
    identity: Identity
    ask: Ask


class Filing:
    """Files with what an open identity circle knows; takes the house's lock for each step."""

    def __init__(self, house: House, table: CircleTable) -> None:
        """`table`: of the secretariat or the DPO."""
        self.house, self.table, self.ring = house, table, table.ring
        self.patients = table.patients

    @property
    def book(self) -> PatientBook:
        """Everybody this circle knows; `learn` first, then use it under the house's lock."""
        self.learn()
        return self.patients.book

    def learn(self, steps: Steps | None = None) -> None:
        """Know every patient there is; takes its time, so not under the house's lock."""
        self.patients.learn(steps)

    def identity(self, patient: str) -> Identity:
        """A patient's record. `NotFound` when there is none this circle may know of."""
        return self.patients.identity(patient)

    # By itself

    def file_waiting(self, actor: str, steps: Steps | None = None) -> int:
        """File what needs no person; how many envelopes were filed."""
        steps, filed = steps or Steps(), 0
        waiting = self._undecided()
        if waiting:
            self.learn(steps)
            steps.expect(len(waiting))
        for batch in batches(waiting, AT_ONCE):
            with self.house.lock:
                filed += self._file_batch(batch, actor)
            steps.done(len(batch))
        return filed

    def _undecided(self) -> list[Envelope]:
        """What waits and was not decided by a person, nor left to one since the book changed."""
        waiting = self.house.store.find(Envelope, patient=None)
        asked, version = self.patients.asked, self.patients.book.version
        self.patients.asked = {e.id: asked[e.id] for e in waiting if e.id in asked}
        return [e for e in waiting if not e.decided_by and asked.get(e.id) != version]

    def _file_batch(self, envelopes: list[Envelope], actor: str) -> int:
        known = ((envelope, self.table.table.study_of(envelope.id)) for envelope in envelopes)
        clear = {e.id: row for e, row in known if row is not None and self._is_clear(e, row)}
        if not clear:
            return 0
        entry = Entry(EventKind.FILED, self.house.clock.now(), actor, {"how": AUTOMATIC})
        try:
            with self._claiming(entry) as tx:
                filed, learnt = self._file_all(tx, clear)
                if not filed:
                    raise _meanwhile()  # so that nothing is journalled
                tx.note(filed=filed, envelopes=[envelope for envelope, _ in filed], **learnt)
        except Conflict:
            return 0
        return len(filed)

    def _is_clear(self, envelope: Envelope, row: StudyRow) -> bool:
        """Whether it needs no person, as things stand now."""
        if not isinstance(self._decide(envelope, row), Ask):
            return True
        self.patients.asked[envelope.id] = self.patients.book.version
        return False

    def _decide(self, envelope: Envelope, row: StudyRow) -> Decision:
        attached = row.attributes.get("Patient")  # whom a document was handed over for
        identity = arrival_of(envelope, row)
        if isinstance(attached, str):
            known = attached in self.patients.book
            return FileWith(attached) if known else Ask((), missing_fields(identity))
        return decide(identity, None, self.patients.book.candidates(identity))

    def _file_all(
        self, tx: Transaction, rows: dict[str, StudyRow]
    ) -> tuple[list[tuple[str, str]], dict[str, list[str]]]:
        """File those that are still there to be filed, deciding again.

        Returns:
            (envelope, patient) of each, and for the journal whose records learnt something.
        """
        keys = self._header_keys(rows)
        filed, learnt = [], list[str]()
        for envelope_id, row in rows.items():
            envelope = tx.get(Envelope, envelope_id)
            key = keys.get(envelope_id)
            if envelope is None or envelope.patient or envelope.decided_by or key is None:
                continue
            arrival = arrival_of(envelope, row)
            match self._decide(envelope, row):
                case FileWith(patient):
                    if self.patients.learn_from(tx, patient, arrival):
                        learnt.append(patient)
                case NewPatient():
                    patient = self.patients.make(tx, arrival)
                case Ask():
                    continue
            self._attach(tx, envelope, row, key, patient, None)
            filed.append((envelope_id, patient))
        return filed, _learnt(learnt)

    @contextmanager
    def _claiming(self, entry: Entry) -> Iterator[Transaction]:
        """A transaction that knows the patients made meanwhile, and forgets its own if undone.

        Raises:
            IntegrityError: the circles are not those that this session believes.
        """
        with self.patients.unless_undone(), self.house.store.change(entry) as tx:
            self.table.fill()
            self.ring.entitled(circles.identity_readers(circles.current(tx)))
            yield tx

    # By a person

    def file(self, actor: str, envelope_id: str, patient: str | None) -> str:
        """A person decides: attach to that patient, or to a new one (None). The patient's id.

        Raises:
            Conflict: somebody else was faster.
            NotFound: no such envelope or patient, or none that can be opened here.
        """
        details = {"how": "person", "envelope": envelope_id}
        entry = Entry(EventKind.FILED, self.house.clock.now(), actor, details)
        with self.house.lock, self._claiming(entry) as tx:
            envelope = tx.get(Envelope, envelope_id)
            row = self.table.table.study_of(envelope_id)
            if envelope is None or row is None:
                raise NotFound(N_("there is no such arrival"), hint=RELOAD)
            if envelope.patient is not None:
                raise _meanwhile()
            arrival, learnt = arrival_of(envelope, row), False
            if patient is None:
                patient = self.patients.make(tx, arrival)
            else:
                learnt = self.patients.learn_from(tx, patient, arrival)
            self._attach(tx, envelope, row, self._header_key(envelope_id), patient, actor)
            tx.note(filed=[[envelope_id, patient]], **_learnt([patient] if learnt else []))
        return patient

    def unfile(self, actor: str, envelope_id: str) -> None:
        """Take an envelope off its patient: it waits for a person again, readable as on arrival.

        What only it said of the patient leaves his record. The clinical key follows with the next
        carer's session."""
        entry = Entry(EventKind.UNFILED, self.house.clock.now(), actor, {"envelope": envelope_id})
        with self.house.lock, self._claiming(entry) as tx:
            envelope = tx.get(Envelope, envelope_id)
            if envelope is None or envelope.patient is None:
                raise Conflict(N_("this arrival is not filed"), hint=RELOAD)
            if self._unlearn(tx, envelope, envelope.patient):
                tx.note(**_learnt([envelope.patient]))
            wrapper = self._wrapper(envelope_id, self._header_key(envelope_id))
            readers = self.ring.entitled(circles.identity_readers(circles.current(tx)))
            replace_wraps(tx, _held(tx, envelope_id), wrapper.to_circles(readers, self.ring))
            undone = replace(envelope, patient=None, compartment=None, summary=None)
            tx.put(replace(undone, decided_by=actor))
            tx.note(patient=envelope.patient)

    def _unlearn(self, tx: Transaction, envelope: Envelope, patient: str) -> bool:
        rows = {row.envelope: row for row in self.table.table.studies(Matches(patient=patient))}
        row = rows.pop(envelope.id, None)
        if row is None:
            return False
        stay = self.house.store.find(Envelope, id=OneOf(list(rows)))
        others = [arrival_of(each, rows[each.id]) for each in stay]
        return self.patients.unlearn(tx, patient, arrival_of(envelope, row), others)

    def waiting(self) -> list[Waiting]:
        """Arrivals that are not filed, with whom they may belong to."""
        self.learn()
        with self.house.lock:
            found = []
            for envelope in self.house.store.find(Envelope, patient=None):
                row = self.table.table.study_of(envelope.id)
                if row is not None:
                    decision = self._decide(envelope, row)
                    ask = decision if isinstance(decision, Ask) else Ask((), ())
                    found.append(Waiting(row, arrival_of(envelope, row), ask))
            return found

    # The keys

    def _header_keys(self, envelopes: Collection[str]) -> dict[str, Key]:
        """Of those that open here, by envelope."""
        subjects = {names.envelope(envelope): envelope for envelope in envelopes}
        found = self.ring.keys(self.house.store, WrapKind.ENVELOPE_IDENTITY, subjects, set())
        return {subjects[subject]: key for subject, key in found.items()}

    def _header_key(self, envelope: str) -> Key:
        subject = names.envelope(envelope)
        key = self.ring.key(self.house.store, WrapKind.ENVELOPE_IDENTITY, subject)
        if key is None:
            raise AccessDenied(N_("no key of yours opens this arrival"))
        return key

    def _wrapper(self, envelope: str, key: Key) -> Wrapper:
        subject = names.envelope(envelope)
        return Wrapper(self.house.vault, WrapKind.ENVELOPE_IDENTITY, subject, key)

    def _attach(
        self,
        tx: Transaction,
        envelope: Envelope,
        row: StudyRow,
        header_key: Key,
        patient: str,
        actor: str | None,
    ) -> None:
        """Move the identity header key under the patient's identity key; drop the arrival wraps."""
        key = self.patients.key(patient)
        wrapper = self._wrapper(envelope.id, header_key)
        moved = wrapper.to_parent(names.patient(patient), key)
        replace_wraps(tx, _held(tx, envelope.id), [moved])
        context = contexts.summary(self.house.vault, envelope.id)
        summary = seal_value(json.dumps(summary_of(row)).encode(), key, context)
        tx.put(replace(envelope, patient=patient, decided_by=actor, summary=summary))


def _held(tx: Transaction, envelope: str) -> list[Wrap]:
    return tx.find(Wrap, kind=WrapKind.ENVELOPE_IDENTITY, subject=names.envelope(envelope))


def _meanwhile() -> Conflict:
    return Conflict(N_("this arrival was filed meanwhile"), hint=RELOAD)


def _learnt(patients: list[str]) -> dict[str, list[str]]:
    """The journal's note that these records were sealed anew."""
    return {"learnt": patients} if patients else {}


def arrival_of(envelope: Envelope, row: StudyRow) -> Identity:
    """Who an arrival says it is about, with its sender beside identifiers without issuer."""
    return read_identity(row.attributes).sent_by(envelope.device or envelope.source)


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


def count_waiting(store: Store) -> int:
    """Arrivals without a patient."""
    return store.count(Envelope, patient=None)
