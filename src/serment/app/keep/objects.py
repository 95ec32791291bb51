"""Holds the rows of objects against what their packs say: each record has its row, and the row is
what the record gives, but for its state; a row that is gone is made again from its record. No key is
needed; contents are for `verify` and readers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from serment.app.batches import batches
from serment.app.house import House
from serment.app.protect.mending import replay, replayed, row_of
from serment.core.journal.entries import Entry, EventKind
from serment.core.records.vault import ObjectState, StoredObject
from serment.errors import N_, Remark, SermentError
from serment.ports import OneOf

LOST = N_("object {object} is in its pack, and its row is gone")
OTHER = N_("the row of object {object} is not what its pack gives")


def odd_objects(house: House, pack: str) -> Iterator[tuple[str, str]]:
    """(message, object id) of each record of that pack, all of whose objects should have rows."""
    try:
        for batch in batches(house.packs.records(pack)):
            ids = [record.object_id for record in batch]
            rows = {row.id: row for row in house.store.find(StoredObject, id=OneOf(ids))}
            for record in batch:
                row = rows.get(record.object_id)
                if row is None:
                    yield LOST, record.object_id
                elif replace(row, state=ObjectState.KEPT) != row_of(record):
                    yield OTHER, record.object_id
    except SermentError:
        return  # a pack that cannot be read is told of with its objects


def put_back(house: House) -> list[Remark]:
    """Make the rows again that are gone although their packs were indexed whole; journalled.

    The entry does not say anew what each reception brought: what the packs lost with the rows
    stays missing there, for `rows` to find.
    """
    known = replayed(house.store)
    indexed = [name for name in house.packs.names() if name in known]
    count = sum(replay(house.store, house.packs, indexed).values())
    if not count:
        return []
    details = {"what": "rows-put-back", "count": count}
    house.store.record(Entry(EventKind.REPAIRED, house.clock.now(), "doctor", details))
    return [Remark(N_("{count} rows of objects made again from their packs"), count=count)]
