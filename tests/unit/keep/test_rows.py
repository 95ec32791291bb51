"""Every row is held against the journal: what was changed, added or removed past it is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.practices import World, patient, report, study

from serment.adapters.memory.store import MemoryStore
from serment.app.keep import rows
from serment.app.keep.rows import ADDED, CHANGED, OTHER_OBJECTS, REMOVED, Odd, compare
from serment.core.journal.entries import Entry, EventKind
from serment.core.records.rows import SHAPES, key_of, name_of
from serment.core.records.vault import (
    Device,
    Envelope,
    IdentityHeader,
    ObjectState,
    Setting,
    Snapshot,
    StoredObject,
    Wrap,
)
from serment.errors import FormatError

Past = Callable[[Any, Any], None]


@pytest.fixture
def filed(world: World) -> World:
    with world.signed_in("docteur"):
        world.practice.tidy()
    now = world.house.clock.now()
    with world.house.store.change(entry(world)) as tx:
        tx.add(Device("d" * 32, "Scanner", "CT1", "SERMENT", "127.0.0.1", "care", b"", now))
    return world


@pytest.fixture
def past(filed: World) -> Past:
    """`past(row, other)` puts `other` in the place of the row, or nothing, past the journal."""
    store = filed.house.store
    assert isinstance(store, MemoryStore)

    def write(row: Any, other: Any) -> None:
        table = store._tables[type(row if row is not None else other)]
        if row is not None:
            table.pop(key_of(row))
        if other is not None:
            table[key_of(other)] = other

    return write


@pytest.fixture(params=[500_000, 7], ids=["in one pass", "in many passes"])
def odd(filed: World, monkeypatch: pytest.MonkeyPatch, request: Any) -> Callable[[], list[Odd]]:
    monkeypatch.setattr(rows, "AT_ONCE", request.param)
    return lambda: compare(filed.house.store).odd


def entry(world: World, **details: Any) -> Entry:
    return Entry(EventKind.REPAIRED, world.house.clock.now(), "test", details)


def test_a_vault_at_work_is_as_its_journal_says(world: World) -> None:
    assert compare(world.house.store).odd == []
    with world.signed_in("docteur"):
        world.practice.tidy()
    world.receive([report(study(patient(1), 9), number) for number in range(3)])
    store, found = world.house.store, compare(world.house.store)
    assert found.odd == []
    assert found.rows == sum(store.count(kind) for kind in SHAPES if kind is not Snapshot) > 60


def _called(row: Any, name: str) -> Any:
    return replace(row, **{SHAPES[type(row)].key[0]: name})


@pytest.mark.parametrize("kind", [k for k in SHAPES if k not in (Snapshot, StoredObject)])
def test_any_row_removed_or_added(filed: World, past: Past, odd: Any, kind: type[Any]) -> None:
    for row in filed.house.store.find(kind):
        past(row, None)
        assert odd() == [Odd(SHAPES[kind].table, name_of(row), REMOVED)]
        past(None, row)
    other = replace(row, subject="other") if kind is Wrap else _called(row, "f" * 32)
    past(None, other)
    assert odd() == [Odd(SHAPES[kind].table, name_of(other), ADDED)]


def test_a_row_changed(filed: World, past: Past, odd: Any) -> None:
    wrap = filed.house.store.find(Wrap)[3]
    past(wrap, replace(wrap, blob=bytes([wrap.blob[0] ^ 1]) + wrap.blob[1:]))
    header = filed.house.store.find(IdentityHeader)[0]
    past(header, replace(header, sealed=header.sealed + b"\0"))
    assert odd() == [
        Odd("identity_header", f"{header.envelope}/0", CHANGED),
        Odd("wrap", name_of(wrap), CHANGED),
    ]


def test_a_deleted_row_that_came_back(filed: World, past: Past, odd: Any) -> None:
    gone = filed.house.store.find(Wrap)[0]
    with filed.house.store.change(entry(filed)) as tx:
        tx.delete(gone)
    assert odd() == []
    past(None, gone)
    assert odd() == [Odd("wrap", name_of(gone), ADDED)]


def test_the_objects_of_a_reception(filed: World, past: Past, odd: Any) -> None:
    """They are bound by what the end of the reception says of them, in whatever order."""
    filed.receive(report(study(patient(5), 5), number) for number in range(5))
    store = filed.house.store
    *_, last = store.find(StoredObject)
    expected = [Odd("stored_object", last.envelope, OTHER_OBJECTS)]
    past(last, None)
    assert odd() == expected
    past(None, last)
    assert odd() == []
    first = store.find(StoredObject, envelope=last.envelope)[0]
    past(first, None)
    past(None, first)  # now the last one
    assert odd() == []
    past(first, replace(first, sha256=bytes(32)))
    assert odd() == expected
    past(first, replace(first, envelope=store.find(Envelope)[0].id))
    assert odd() == sorted([*expected, replace(expected[0], row=store.find(Envelope)[0].id)])
    past(first, replace(first, state=ObjectState.DUPLICATE))
    assert odd() == []  # no entry tells of the state of this object


def test_a_state_that_an_entry_tells_of(filed: World, past: Past, odd: Any) -> None:
    row = filed.house.store.find(StoredObject)[0]
    with filed.house.store.change(entry(filed)) as tx:
        tx.put(replace(row, state=ObjectState.DUPLICATE))
    assert odd() == []
    past(row, row)
    assert odd() == [Odd("stored_object", row.id, CHANGED)]


def test_an_entry_that_cannot_be_understood(filed: World) -> None:
    filed.house.store.record(entry(filed, rows={"setting": ["odd"]}))
    with pytest.raises(FormatError, match="tells of rows"):
        compare(filed.house.store)


def test_snapshots_are_not_told_of(filed: World, past: Past, odd: Any) -> None:
    past(None, Snapshot("other", 1, 1, b"sealed"))
    assert odd() == []
    past(None, Setting("other", b""))
    assert len(odd()) == 1
