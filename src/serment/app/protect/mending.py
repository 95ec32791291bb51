"""What a restart mends: torn packs are cut, forgotten rows indexed again, open receptions closed."""

from __future__ import annotations

from collections.abc import Sequence

from serment.app.batches import batches
from serment.app.protect.reception import close_envelopes
from serment.core.crypto.merkle import Frontier
from serment.core.journal.entries import Entry, EventKind
from serment.core.records.vault import Envelope, Setting, StoredObject
from serment.errors import N_, Remark
from serment.ports import Clock, PackRecord, Packs, Store

REPLAYED = "packs-replayed"


def mend(store: Store, packs: Packs, clock: Clock) -> list[Remark]:
    """At start: cut torn packs, index what the last run had not, close what it left open."""
    repairs = packs.recover()
    known = _replayed(store)
    names = [name for name in packs.names() if name not in known]
    missing = replay(store, packs, names)
    if missing:
        again = N_("{count} objects indexed again from the packs")
        repairs.append(Remark(again, count=missing))
    interrupted = [e.id for e in store.find(Envelope, closed=False)]
    if interrupted:
        came = {envelope: _what_came(store, envelope) for envelope in interrupted}
        entry = Entry(EventKind.RECEPTION_INTERRUPTED, clock.now(), "receiver", {"envelopes": came})
        close_envelopes(store, entry, interrupted)
        repairs.append(Remark(N_("{count} interrupted receptions closed"), count=len(interrupted)))
    if not repairs and not names:
        return []
    kind = EventKind.REPAIRED if repairs else EventKind.PACKS_INDEXED
    details = {"what": "packs", "repairs": repairs, "count": len(names)}
    with store.change(Entry(kind, clock.now(), "receiver", details)) as tx:
        tx.put(Setting(REPLAYED, "\n".join(sorted(known | set(names))).encode()))
    return repairs


def _replayed(store: Store) -> set[str]:
    """Packs that were indexed whole: each process writes packs of its own, so they are final."""
    setting = store.get(Setting, REPLAYED)
    return set(setting.value.decode().split("\n")) if setting else set()


def replay(store: Store, packs: Packs, names: Sequence[str]) -> int:
    """Insert the object rows of those packs' records that no row refers to; how many."""
    before = store.count(StoredObject)
    for batch in batches(record for name in names for record in packs.records(name)):
        store.add_objects(list(map(_row, batch)))
    return store.count(StoredObject) - before


def _row(record: PackRecord) -> StoredObject:
    place = record.place
    return StoredObject(
        record.object_id,
        record.envelope_id,
        place.pack,
        place.offset,
        place.size,
        place.sha256,
        record.clinical_header,
    )


def _what_came(store: Store, envelope: str) -> dict[str, object]:
    digests = Frontier()
    for row in store.find(StoredObject, envelope=envelope):
        digests.append(row.sha256)
    return {"objects": digests.size, "root": digests.root().hex()}
