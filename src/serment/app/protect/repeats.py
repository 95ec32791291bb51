"""The same instance again: kept once when the content is the same, flagged when it is not.

While locked nothing on disk can tell that two objects are the same, by design; a carer's session
compares their decrypted data sets. Nothing is ever overwritten: the later object is marked.
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
from serment.errors import IntegrityError
from serment.ports import InstanceRow

COMPARED_AT_ONCE = 1024 * 1024  # bytes


def mark(house: House, table: CircleTable, actor: str) -> tuple[int, int]:
    """Compare what came more than once; how many duplicates and conflicts were marked."""
    marked: list[StoredObject] = []
    for group in table.table.repeated():
        first = _reader(house, table, group[0])
        for row in group[1:]:
            other = _reader(house, table, row)
            if first is None or other is None:
                continue
            try:
                same = same_data_set(first, other)
            except IntegrityError:
                continue  # damaged: `doctor` says so, and the practice opens all the same
            state = ObjectState.DUPLICATE if same else ObjectState.CONFLICT
            marked.append(replace(other.row, state=state))
    if not marked:
        return 0, 0
    duplicates = [m.id for m in marked if m.state is ObjectState.DUPLICATE]
    conflicts = [m.id for m in marked if m.state is ObjectState.CONFLICT]
    details = {"duplicates": duplicates, "conflicts": conflicts}
    with house.store.change(
        Entry(EventKind.REPEATS_FOUND, house.clock.now(), actor, details)
    ) as tx:
        for changed in marked:
            tx.put(changed)
    table.fill()
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
