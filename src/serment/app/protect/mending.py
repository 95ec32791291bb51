"""What a restart mends: torn packs are cut, forgotten rows indexed again, open receptions closed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from serment.app.batches import batches
from serment.app.protect.reception import close_envelopes
from serment.core.journal.entries import Entry, EventKind
from serment.core.records.brought import Brought
from serment.core.records.vault import Envelope, Setting, StoredObject
from serment.errors import N_, Remark
from serment.ports import Clock, OneOf, PackRecord, Packs, Store

REPLAYED = "packs-replayed"


def mend(store: Store, packs: Packs, clock: Clock) -> list[Remark]:
    """At start: cut torn packs, index what the last run had not, close what it left open."""
    repairs = packs.recover()
    known = replayed(store)
    names = [name for name in packs.names() if name not in known]
    missing = replay(store, packs, names)
    if missing:
        again = N_("{count} objects indexed again from the packs")
        repairs.append(Remark(again, count=sum(missing.values())))
    interrupted = [e.id for e in store.find(Envelope, closed=False)]
    if interrupted:
        came = _what_came(store, interrupted)
        entry = Entry(EventKind.RECEPTION_INTERRUPTED, clock.now(), "receiver", {"envelopes": came})
        close_envelopes(store, entry, interrupted)
        repairs.append(Remark(N_("{count} interrupted receptions closed"), count=len(interrupted)))
    if not repairs and not names:
        return []
    kind = EventKind.REPAIRED if repairs else EventKind.PACKS_INDEXED
    details: dict[str, object] = {"what": "packs", "repairs": repairs, "count": len(names)}
    if known:  # otherwise the copy of the keys came back, and all of them are what they were
        late = missing.keys() - set(interrupted)
        details |= {"envelopes": _what_came(store, sorted(late))} if late else {}
    with store.change(Entry(kind, clock.now(), "receiver", details)) as tx:
        tx.put(Setting(REPLAYED, "\n".join(sorted(known | set(names))).encode()))
    return repairs


def replayed(store: Store) -> set[str]:
    """Packs that were indexed whole: each process writes packs of its own, so they are final."""
    setting = store.get(Setting, REPLAYED)
    return set(setting.value.decode().split("\n")) if setting else set()


def replay(store: Store, packs: Packs, names: Sequence[str]) -> Counter[str]:
    """Insert the object rows of those packs' records that no row refers to; how many, by envelope."""
    missing: Counter[str] = Counter()
    for batch in batches(record for name in names for record in packs.records(name)):
        there = {r.id for r in store.find(StoredObject, id=OneOf([r.object_id for r in batch]))}
        rows = [row_of(record) for record in batch if record.object_id not in there]
        store.add_objects(rows)
        missing.update({row.id: row.envelope for row in rows}.values())
    return missing


def row_of(record: PackRecord) -> StoredObject:
    """The row that a record of a pack gives."""
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


def _what_came(store: Store, envelopes: Sequence[str]) -> dict[str, object]:
    """By envelope, what its reception brought as far as it came."""
    came: dict[str, object] = {}
    for envelope in envelopes:
        found = Brought(row.sha256 for row in store.find(StoredObject, envelope=envelope))
        came[envelope] = {"objects": found.size, "root": found.root().hex()}
    return came
