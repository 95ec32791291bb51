"""The same instance again: kept once when the content is the same, flagged when it is not.

While locked nothing on disk can tell that two objects are the same, by design; a carer's session
compares their decrypted data sets, however long that takes, and holds the house's lock only to mark
them. Nothing is ever overwritten: the later object is marked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from serment.app.house import House
from serment.app.protect.objects import ObjectReader
from serment.app.protect.tables import CircleTable
from serment.core.crypto.secret import Seed
from serment.core.dicom.part10 import read_meta
from serment.core.journal.entries import Entry, EventKind
from serment.core.records.vault import ObjectState, StoredObject
from serment.errors import N_, Conflict, IntegrityError
from serment.ports import InstanceRow, Transaction

COMPARED_AT_ONCE = 1024 * 1024  # bytes


def mark(house: House, table: CircleTable, actor: str) -> tuple[int, int]:
    """Compare what came more than once; how many duplicates and conflicts were marked."""
    with house.lock:
        groups = table.table.repeated()
    found = [mark for group in groups for mark in _compared(house, table, group)]
    if not found:
        return 0, 0
    entry = Entry(EventKind.REPEATS_FOUND, house.clock.now(), actor, {})
    with house.lock:
        try:
            with house.store.change(entry) as tx:
                duplicates, conflicts = _mark(tx, found)
        except Conflict:
            return 0, 0
        table.fill()
    return duplicates, conflicts


def _compared(
    house: House, table: CircleTable, group: list[InstanceRow]
) -> Iterator[tuple[StoredObject, ObjectState]]:
    """What the later objects of one instance are to be marked as."""
    first = _reader(house, table, group[0])
    for row in group[1:]:
        other = _reader(house, table, row)
        if first is None or other is None:
            continue
        try:
            same = same_data_set(first, other)
        except IntegrityError:
            continue  # damaged: `doctor` says so, and the practice opens all the same
        yield other.row, ObjectState.DUPLICATE if same else ObjectState.CONFLICT


def _mark(tx: Transaction, found: list[tuple[StoredObject, ObjectState]]) -> tuple[int, int]:
    """Mark those that nobody has marked meanwhile; `Conflict`, and no entry, when none is left."""
    marked = [(row, state) for row, state in found if tx.get(StoredObject, row.id) == row]
    if not marked:
        raise Conflict(N_("these objects were compared meanwhile"))
    for row, state in marked:
        tx.put(replace(row, state=state))
    duplicates = [row.id for row, state in marked if state is ObjectState.DUPLICATE]
    conflicts = [row.id for row, state in marked if state is ObjectState.CONFLICT]
    tx.note(duplicates=duplicates, conflicts=conflicts)
    return len(duplicates), len(conflicts)


def _reader(house: House, table: CircleTable, row: InstanceRow) -> ObjectReader | None:
    seed: Seed | None = table.ring.envelope_seed(house.store, row.envelope)
    stored = house.store.get(StoredObject, row.object)
    return ObjectReader(house, stored, seed) if seed and stored else None


def same_data_set(one: ObjectReader, other: ObjectReader) -> bool:
    """Whether two objects hold the same data set in the same transfer syntax; the file meta
    information, which each sender writes anew, does not count."""
    meta_one, meta_other = (read_meta(reader.read(0, 4096)) for reader in (one, other))
    start_one, start_other = meta_one.dataset_offset, meta_other.dataset_offset
    if meta_one.transfer_syntax != meta_other.transfer_syntax:
        return False
    if one.size - start_one != other.size - start_other:
        return False
    pairs = zip(_pieces(one, start_one), _pieces(other, start_other), strict=True)
    return all(a == b for a, b in pairs)


def _pieces(reader: ObjectReader, start: int) -> Iterator[bytes]:
    for offset in range(start, reader.size, COMPARED_AT_ONCE):
        yield reader.read(offset, min(COMPARED_AT_ONCE, reader.size - offset))
