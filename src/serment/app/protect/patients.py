"""The patients an identity circle knows: their records opened, compared with arrivals, made, learnt.

Whom an arrival resembles is found in `core.records.book`; what to do about it, and when, is
decided in `filing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from serment.app import circles
from serment.app.batches import batches
from serment.app.house import House
from serment.app.keyring import Keyring
from serment.app.steps import Steps
from serment.app.wrapping import Wrapper, put_all
from serment.core.crypto.entropy import new_id
from serment.core.crypto.keys import new_key
from serment.core.crypto.secret import Key
from serment.core.crypto.wraps import open_value, seal_value
from serment.core.records import contexts, names
from serment.core.records.book import PatientBook
from serment.core.records.identity import Identity
from serment.core.records.vault import Patient, WrapKind
from serment.errors import N_, AccessDenied, FormatError, IntegrityError, NotFound
from serment.ports import OneOf, Transaction


class Patients:
    """Of one open identity circle (secretariat or DPO); used under the house's lock, but for
    `learn`, which takes it."""

    def __init__(self, house: House, ring: Keyring) -> None:
        self._house, self._ring = house, ring
        self.book = PatientBook()
        self.known = False  # whether the book has everybody
        self.asked: dict[str, int] = {}  # arrivals left to a person when the book had that version
        self._changed: set[str] = set()  # in the change under way
        self._late: set[str] = set()  # changed while everybody was being learnt

    def learn(self, steps: Steps | None = None) -> None:
        """Open every record, once and with nobody waiting; afterwards `look_again` keeps the book
        up to date. Call it before taking the house's lock."""
        if self.known:
            return
        steps, book = steps or Steps(), PatientBook()
        steps.expect(self._house.store.count(Patient))
        for batch in batches(self._house.store.find(Patient)):
            self._open(batch, book)
            steps.done(len(batch))
        with self._house.lock:
            if not self.known:  # by another thread
                self.book, self.known = book, True
                self._ring.forget(map(names.patient, self._late))
                self.look_again(self._late)

    def look_again(self, patients: Iterable[str]) -> None:
        """These were made, changed, or lost their keys."""
        if not self.known:
            self._late.update(patients)
            return
        for ids in batches(patients):
            for patient in ids:
                self.book.remove(patient)
            self._open(self._house.store.find(Patient, id=OneOf(ids)), self.book)

    def _open(self, rows: list[Patient], book: PatientBook) -> None:
        """Put into a book those that a key reaches; a damaged record is nobody's."""
        subjects = [names.patient(row.id) for row in rows]
        damaged: set[str] = set()
        keys = self._ring.keys(self._house.store, WrapKind.PATIENT_IDENTITY, subjects, damaged)
        for row, subject in zip(rows, subjects, strict=True):
            if subject in keys:
                try:
                    book.put(row.id, self._record(row, keys[subject]))
                except (IntegrityError, FormatError):
                    continue

    def _record(self, row: Patient, key: Key) -> Identity:
        context = contexts.identity_record(self._house.vault, row.id)
        return Identity.decode(open_value(row.identity, key, context))

    def identity(self, patient: str) -> Identity:
        """A patient's record as it is now.

        Raises:
            NotFound: there is no such patient, or none this circle may know of.
        """
        row = self._house.store.get(Patient, patient)
        key = self._key(patient) if row else None
        if row is None or key is None:
            raise NotFound(
                N_("there is no patient {patient}"),
                hint=N_("find the patient's id with `serment search`"),
                patient=patient,
            )
        return self._record(row, key)

    def key(self, patient: str) -> Key:
        """The identity key of a patient. `AccessDenied` when no wrap leads there."""
        key = self._key(patient)
        if key is None:
            raise AccessDenied(N_("no key of yours opens this patient"))
        return key

    def _key(self, patient: str) -> Key | None:
        subject = names.patient(patient)
        return self._ring.key(self._house.store, WrapKind.PATIENT_IDENTITY, subject)

    def make(self, tx: Transaction, identity: Identity) -> str:
        """A new patient with that record, for everybody entitled to identities; his random id."""
        patient, key = new_id(), new_key()
        subject = names.patient(patient)
        tx.add(Patient(patient, self._sealed(patient, identity, key), self._house.clock.now()))
        wrapper = Wrapper(self._house.vault, WrapKind.PATIENT_IDENTITY, subject, key)
        readers = self._ring.entitled(circles.identity_readers(circles.current(tx)))
        put_all(tx, wrapper.to_circles(readers, self._ring))
        self._ring.remember(subject, key)
        self._put(patient, identity)
        return patient

    def learn_from(self, tx: Transaction, patient: str, arrival: Identity) -> bool:
        """Add the identifiers of an arrival that is filed with a patient to his record, so that
        the next one like it needs nobody; whether there were new ones."""
        known = self._known(patient)
        return self._rewrite(tx, patient, known, known.learning(arrival))

    def unlearn(
        self, tx: Transaction, patient: str, arrival: Identity, others: Iterable[Identity]
    ) -> bool:
        """Take from a patient's record what only an arrival stated that was not his after all. A
        record that nothing else is known of stays as it is."""
        stated = {identifier for other in others for identifier in other.identifiers}
        foreign = set(arrival.identifiers) - stated if stated else set()
        known = self._known(patient)
        return self._rewrite(tx, patient, known, known.without(foreign))

    def _known(self, patient: str) -> Identity:
        return self.book.get(patient) or self.identity(patient)

    def _rewrite(self, tx: Transaction, patient: str, old: Identity, new: Identity) -> bool:
        """Seal a record anew; False when it says what it said before."""
        row = tx.get(Patient, patient)
        if row is None or old == new:
            return False
        tx.put(replace(row, identity=self._sealed(patient, new, self.key(patient))))
        self._put(patient, new)
        return True

    def _sealed(self, patient: str, identity: Identity, key: Key) -> bytes:
        context = contexts.identity_record(self._house.vault, patient)
        return seal_value(identity.encode(), key, context)

    def _put(self, patient: str, identity: Identity) -> None:
        self._changed.add(patient)
        if self.known:
            self.book.put(patient, identity)
        else:
            self._late.add(patient)

    @contextmanager
    def unless_undone(self) -> Iterator[None]:
        """A change of records: when it is undone, the book goes back to what the store has."""
        self._changed = set()
        try:
            yield
        except BaseException:
            self._ring.forget(map(names.patient, self._changed))
            self.look_again(self._changed)
            raise
