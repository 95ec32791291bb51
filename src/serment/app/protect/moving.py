"""Moves envelope seeds: under the clinical key of the patient they were filed with, or back.

Only in a carer's session, for what his own circle received: filing by a secretary leaves the seed
where it arrived. Where a seed is, its wraps say; the envelope's row repeats it.
"""

from __future__ import annotations

from dataclasses import replace

from serment.app import circles
from serment.app.batches import batches
from serment.app.house import House
from serment.app.protect.tables import CircleTable
from serment.app.steps import Steps
from serment.app.wrapping import Wrapper, put_all, replace_wraps
from serment.core.crypto.entropy import new_id
from serment.core.crypto.keys import new_key
from serment.core.crypto.secret import Key
from serment.core.journal.entries import Entry, EventKind
from serment.core.records import names
from serment.core.records.names import NameKind, parse_name
from serment.core.records.vault import Circle, Compartment, Envelope, Wrap, WrapKind
from serment.errors import N_, Conflict
from serment.ports import OneOf, Store, Transaction

AT_ONCE = 200  # envelopes moved in one transaction


def move_clinical(house: House, table: CircleTable, actor: str, steps: Steps | None = None) -> int:
    """Put the seeds of a care circle's envelopes where they belong: of all the first time,
    afterwards of those that entries of the journal named. How many moved."""
    steps, moved = steps or Steps(), 0
    touched, table.touched = table.touched, set()
    try:
        stray = _stray_among(house.store, table.circle, touched)
        steps.expect(len(stray))
        for batch in batches(stray, AT_ONCE):
            with house.lock:
                moved += _move(house, table, batch, actor)
            steps.done(len(batch))
    except BaseException:
        table.touched = None  # look at all of them again
        raise
    return moved


def _stray_among(store: Store, circle: str, touched: set[str] | None) -> list[str]:
    if touched is None:
        found = store.find(Envelope, compartment=None)
    else:
        found = [e for ids in batches(touched) for e in store.find(Envelope, id=OneOf(ids))]
    ours = (envelope for envelope in found if envelope.circle == circle)
    return [stray.id for batch in batches(ours) for stray in _stray(store, batch)]


def _stray(store: Store, envelopes: list[Envelope]) -> list[Envelope]:
    """Those whose seed is not where their filing says."""
    subjects = OneOf([names.envelope(envelope.id) for envelope in envelopes])
    wraps = store.find(Wrap, kind=WrapKind.ENVELOPE_SEED, subject=subjects)
    above = {parse_name(w.subject).id: parse_name(w.recipient) for w in wraps}
    under = {e: name.id for e, name in above.items() if name.kind is NameKind.COMPARTMENT}
    compartments = store.find(Compartment, id=OneOf(set(under.values())))
    patients = {row.id: row.patient for row in compartments}
    return [e for e in envelopes if e.patient != patients.get(under.get(e.id, ""))]


def _move(house: House, table: CircleTable, envelopes: list[str], actor: str) -> int:
    entry = Entry(EventKind.KEYS_MOVED, house.clock.now(), actor, {"circle": table.circle})
    try:
        with house.store.change(entry) as tx:
            stray = _stray(house.store, tx.find(Envelope, id=OneOf(envelopes)))
            moved = _move_all(house, tx, table, stray)
            if not moved:
                raise Conflict(N_("these keys were moved meanwhile"))  # nothing is journalled
            tx.note(envelopes=moved)
    except Conflict:
        return 0
    return len(moved)


def _move_all(
    house: House, tx: Transaction, table: CircleTable, envelopes: list[Envelope]
) -> list[str]:
    subjects = [names.envelope(envelope.id) for envelope in envelopes]
    keys = table.ring.keys(house.store, WrapKind.ENVELOPE_SEED, subjects, set())
    current = circles.current(tx)
    readers = table.ring.entitled((current[table.circle], current[circles.RECOVERY]))
    moved = []
    for envelope, subject in zip(envelopes, subjects, strict=True):
        if subject not in keys:
            continue
        wrapper = Wrapper(house.vault, WrapKind.ENVELOPE_SEED, subject, keys[subject])
        if envelope.patient is None:
            compartment, new = None, wrapper.to_circles(readers, table.ring)
        else:
            compartment, key = _compartment(house, tx, table, envelope.patient, readers)
            if key is None:
                continue
            new = [wrapper.to_parent(names.compartment(compartment), key)]
        replace_wraps(tx, tx.find(Wrap, kind=WrapKind.ENVELOPE_SEED, subject=subject), new)
        tx.put(replace(envelope, compartment=compartment))
        moved.append(envelope.id)
    return moved


def _compartment(
    house: House, tx: Transaction, table: CircleTable, patient: str, readers: list[Circle]
) -> tuple[str, Key | None]:
    """The clinical compartment of a patient for a care circle; made by the first who files. No key
    where its wrap is damaged: what came stays as it arrived, and keeps nobody out."""
    for found in tx.find(Compartment, patient=patient, circle=table.circle):
        subject = names.compartment(found.id)
        held = table.ring.keys(house.store, WrapKind.PATIENT_CLINICAL, [subject], set())
        return found.id, held.get(subject)
    compartment, key = new_id(), new_key()
    tx.add(Compartment(compartment, patient, table.circle))
    subject = names.compartment(compartment)
    wrapper = Wrapper(house.vault, WrapKind.PATIENT_CLINICAL, subject, key)
    put_all(tx, wrapper.to_circles(readers, table.ring))
    return compartment, key
