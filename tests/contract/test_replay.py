"""After a crash every whole record has its row again, whichever adapters stand behind the ports."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tests.packing import append

from serment.adapters.memory.clock import MemoryClock
from serment.adapters.packs import LocalPacks
from serment.adapters.sqlite import SqliteStore, restore
from serment.app.protect.mending import mend
from serment.core.crypto.entropy import new_id, random_bytes
from serment.core.journal.entries import Entry, EventKind
from serment.core.records.vault import Envelope, EnvelopeKind, ObjectState, StoredObject
from serment.ports import Packs, Place, Store

ENVELOPE = "e" * 32
NOW = datetime(2026, 11, 21, tzinfo=UTC)
CLOCK = MemoryClock()


def received(packs: Packs, size: int = 100) -> StoredObject:
    """Write a record; the row it should have."""
    data, object_id = random_bytes(size), new_id()
    digest = hashlib.sha256(data).digest()
    place = append(packs, object_id, ENVELOPE, data, digest, b"identity", b"clinical")
    return StoredObject(
        object_id, ENVELOPE, place.pack, place.offset, place.size, digest, b"clinical"
    )


def rows(store: Store) -> list[StoredObject]:
    return sorted((row for _, row in store.objects_after(0, 1000)), key=lambda row: row.id)


def by_id(expected: list[StoredObject]) -> list[StoredObject]:
    return sorted(expected, key=lambda row: row.id)


def test_rows_that_were_lost_are_made_again_once(
    store: Store, make_packs: Callable[[], Packs]
) -> None:
    packs = make_packs()
    came = [received(packs, 900) for _ in range(10)]
    large = packs.large("a" * 32, ENVELOPE)
    large.write(b"large")
    place = large.finish(b"identity", b"clinical")
    packs.sync()
    store.add_objects(came[:4])
    digest = hashlib.sha256(b"large").digest()
    expected = [
        *came,
        StoredObject("a" * 32, ENVELOPE, place.pack, place.offset, 5, digest, b"clinical"),
    ]
    packs.close()
    again = make_packs()
    assert any("7 objects" in line for line in mend(store, again, CLOCK))
    assert rows(store) == by_id(expected)
    assert all(again.verify(place_of(row)) for row in rows(store))
    assert not any("objects" in line for line in mend(store, again, CLOCK))
    assert rows(store) == by_id(expected)
    later = received(again)
    again.sync()
    again.close()
    mend(store, make_packs(), CLOCK)
    assert rows(store) == by_id([*expected, later])


def place_of(row: StoredObject) -> Place:
    return Place(row.pack, row.offset, row.size, row.sha256)


def test_what_is_there_keeps_its_state(store: Store, make_packs: Callable[[], Packs]) -> None:
    packs = make_packs()
    came = received(packs)
    packs.sync()
    store.add_objects([came])
    ((_, marked),) = store.objects_after(0, 1)
    with store.change(Entry(EventKind.REPEATS_FOUND, NOW, "m")) as tx:
        tx.put(replace(marked, state=ObjectState.DUPLICATE))
    mend(store, packs, CLOCK)
    assert [row.state for row in rows(store)] == [ObjectState.DUPLICATE]


def test_an_interrupted_reception_is_closed_with_what_came(
    store: Store, make_packs: Callable[[], Packs]
) -> None:
    packs = make_packs()
    with store.change(Entry(EventKind.RECEPTION_OPENED, NOW, "device")) as tx:
        tx.add(Envelope(ENVELOPE, EnvelopeKind.IMAGE, "care", None, "dicom", NOW, b"public"))
    came = received(packs)
    packs.sync()
    mend(store, packs, CLOCK)
    assert rows(store) == [came]
    assert store.count(Envelope, closed=False) == 0
    bodies = [one.body or b"" for one in store.journal()]
    assert any(b"reception-interrupted" in body and b'"objects":1' in body for body in bodies)


def test_a_torn_record_gets_no_row(tmp_path: Path) -> None:
    packs = LocalPacks(tmp_path / "packs")
    kept, torn = received(packs), received(packs)
    packs.sync()
    shutil.copytree(tmp_path / "packs", tmp_path / "again")
    path = tmp_path / "again" / torn.pack[:2] / f"{torn.pack}.pack"
    os.truncate(path, torn.offset + torn.size)
    store = SqliteStore(tmp_path / "vault.sqlite3", tmp_path / "keys.copy")
    repairs = mend(store, LocalPacks(tmp_path / "again"), CLOCK)
    assert any("cut after its last whole record" in line for line in repairs)
    assert rows(store) == [kept]
    store.close()
    packs.close()


def test_the_copy_of_the_keys_and_the_packs_give_everything_back(tmp_path: Path) -> None:
    database, copy = tmp_path / "vault.sqlite3", tmp_path / "keys.copy"
    packs = LocalPacks(tmp_path / "packs")
    store = SqliteStore(database, copy)
    came = [received(packs) for _ in range(5)]
    packs.close()
    store.add_objects(came)
    mend(store, packs, CLOCK)
    store.copy_keys()
    store.close()
    database.unlink()
    restore(database, copy, lambda _: None)
    again = SqliteStore(database, copy)
    assert rows(again) == []
    mend(again, LocalPacks(tmp_path / "packs"), CLOCK)
    assert rows(again) == by_id(came)
    again.close()
