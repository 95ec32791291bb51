"""A new copy of the keys never has less than the earlier one had right: a row damaged in the database, an
older database put back. What was deleted goes from it all the same.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from tests.practices import World, patient, report, study
from tests.unit.keep.conftest import copied
from tests.unit.keep.test_copy import opened_again, pass_time

from serment.adapters.sqlite.keycopy import restore
from serment.app.copying import COPY_KEPT, DOUBTED, ROWS_KEPT, renew
from serment.app.keep.rows import compare
from serment.core.journal.entries import Entry, EventKind
from serment.core.records.vault import Setting, Wrap
from serment.errors import IntegrityError


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A practice on disk with one patient, copied just now."""
    return copied(tmp_path)


def again(world: World) -> str:
    return renew(world.house.store, world.house.clock.now())


def in_database(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / "vault.sqlite3")) as database, database:
        for sql in statements:
            database.execute(sql)


def doubted(world: World) -> str:
    found = world.house.store.get(Setting, DOUBTED)
    return "" if found is None else found.value.decode()


def copied_wraps(world: World) -> list[Wrap]:
    with world.house.store.copied() as copy:
        assert copy is not None
        return copy.find(Wrap)


def change(world: World, *, put: Wrap | None = None, delete: Wrap | None = None) -> None:
    entry = Entry(EventKind.KEYS_MOVED, world.house.clock.now(), "m")
    with world.house.store.change(entry) as tx:
        if put is not None:
            tx.put(put)
        if delete is not None:
            tx.delete(delete)


FLIP = "UPDATE wrap SET blob = zeroblob(length(blob)) WHERE rowid = (SELECT max(rowid) FROM wrap)"
LOST = {
    "a wrap changed": (FLIP,),
    "a wrap gone": ("DELETE FROM wrap WHERE rowid = (SELECT max(rowid) FROM wrap)",),
    "a role changed": ("UPDATE member SET roles = '[]' WHERE login = 'docteur'",),
    "no bytes of UTF-8": ("UPDATE member SET state = CAST(x'ff' AS TEXT) WHERE login = 'docteur'",),
    "an envelope gone": ("DELETE FROM envelope",),
    "an entry changed": ("UPDATE journal SET body = replace(body, 'a', 'b') WHERE number = 3",),
    "a leaf changed": ("UPDATE journal SET leaf = zeroblob(32) WHERE number = 3",),
    "an entry gone": ("DELETE FROM journal WHERE number = 3",),
    "the last entry gone": (
        "DELETE FROM journal WHERE number = (SELECT max(number) FROM journal)",
    ),
    "the key of a wrap": (
        "UPDATE wrap SET subject = subject || 'x' WHERE rowid = (SELECT max(rowid) FROM wrap)",
        "DELETE FROM wrap WHERE subject LIKE '%x'",
    ),
}


@pytest.mark.parametrize("what", LOST)
def test_what_the_database_lost_stays_in_the_copy(world: World, tmp_path: Path, what: str) -> None:
    good = copied_wraps(world)
    in_database(tmp_path, *LOST[what])
    for _ in range(2):
        assert again(world) == ROWS_KEPT
    assert sorted(map(str, copied_wraps(world))) == sorted(map(str, good))
    with world.house.store.copied() as copy:
        assert copy is not None
        assert list(copy.check()) == []
        assert compare(copy, objects=False).odd == []
    assert doubted(world) == ROWS_KEPT


def test_one_bit_of_the_state_of_the_tree_does_not_spread(world: World, tmp_path: Path) -> None:
    root = world.house.store.journal_tree().root()
    in_database(
        tmp_path,
        "UPDATE journal_tree SET frontier ="
        " CAST(substr(frontier, 1, 8) || zeroblob(length(frontier) - 8) AS BLOB)",
    )
    world.house.store.copy_keys()
    with world.house.store.copied() as copy:
        assert copy is not None
        assert copy.journal_tree().root() == root


def test_after_a_wrap_was_damaged_the_copy_brings_it_back(world: World, tmp_path: Path) -> None:
    good = world.house.store.find(Wrap)
    in_database(tmp_path, FLIP)
    again(world)
    world.house.store.close()
    restore(tmp_path / "vault.sqlite3", tmp_path / "keys.copy", lambda _: None)
    assert sorted(map(str, opened_again(world, tmp_path).house.store.find(Wrap))) == sorted(
        map(str, good)
    )


def test_what_was_deleted_or_replaced_goes_also_while_something_else_is_damaged(
    world: World, tmp_path: Path
) -> None:
    first, second, *_, damaged = world.house.store.find(Wrap)
    replaced = Wrap(
        second.kind, second.subject, second.recipient, second.epoch, second.method, b"new"
    )
    in_database(tmp_path, FLIP)
    change(world, delete=first, put=replaced)
    assert again(world) == ROWS_KEPT
    found = copied_wraps(world)
    assert replaced in found
    assert damaged in found
    data = (tmp_path / "keys.copy").read_bytes()
    assert first.blob not in data
    assert second.blob not in data
    change(world, put=damaged)  # somebody mends it
    assert again(world) == ""
    assert doubted(world) == ""


@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("how", ["UPDATE journal SET body = zeroblob(9)", "DELETE FROM journal"])
def test_when_an_entry_since_is_gone_or_cannot_be_read_nothing_deleted_comes_back(
    world: World, tmp_path: Path, how: str, last: bool
) -> None:
    first = world.house.store.find(Wrap)[0]
    number = world.house.store.journal_size()
    change(world, delete=first)
    if not last:
        change(world)
    in_database(tmp_path, f"{how} WHERE number = {number}")
    assert again(world) == ""
    assert first.blob not in (tmp_path / "keys.copy").read_bytes()


def test_what_is_changed_with_its_entry_is_nothing_to_keep(world: World) -> None:
    store = world.house.store
    number = store.journal_size()
    store.record(Entry(EventKind.SEARCHED, world.house.clock.now(), "m"))
    world.receive([report(study(patient(2), 2))])
    with world.signed_in("docteur"):
        pass
    assert again(world) == ""
    store.expire([number], [b"tombstone"], Entry(EventKind.EXPIRED, world.house.clock.now(), "w"))
    assert again(world) == ""
    assert doubted(world) == ""


SPOILT: dict[str, Callable[[Path], object]] = {
    "gone": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "no database": lambda path: path.write_bytes(b"nothing " * 1000),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:9000]),
    "another layout": lambda path: path.write_bytes(
        path.read_bytes().replace(b"recipient TEXT NOT NULL", b"recipiemt TEXT NOT NULL")
    ),
}


@pytest.mark.parametrize("what", SPOILT)
def test_a_copy_that_cannot_be_read_is_replaced(world: World, tmp_path: Path, what: str) -> None:
    SPOILT[what](tmp_path / "keys.copy")
    assert again(world) == ""
    assert copied_wraps(world) == world.house.store.find(Wrap)
    assert {path.name for path in tmp_path.glob("keys.*")} == {"keys.copy", "keys.lock"}


def rolled_back(world: World, folder: Path) -> World:
    """An older database has taken the place of the one that the copy is of."""
    world.house.store.close()
    older = (folder / "vault.sqlite3").read_bytes()
    later = opened_again(world, folder)
    later.receive([report(study(patient(2), 2))])
    assert again(later) == ""
    later.house.store.close()
    (folder / "vault.sqlite3").write_bytes(older)
    return opened_again(world, folder)


def test_a_copy_that_knows_more_stays(world: World, tmp_path: Path) -> None:
    world = rolled_back(world, tmp_path)
    kept = (tmp_path / "keys.copy").read_bytes()
    for count in range(10):  # the older one grows past it, another way
        assert again(world) == COPY_KEPT
        assert (tmp_path / "keys.copy").read_bytes() == kept
        world.receive([report(study(patient(3), 3 + count))])
        pass_time(world, timedelta(hours=1))
    assert doubted(world) == COPY_KEPT


def test_erasing_does_not_claim_that_such_a_copy_has_forgotten(
    world: World, tmp_path: Path
) -> None:
    world = rolled_back(world, tmp_path)
    change(world, delete=world.house.store.find(Wrap)[0])
    with pytest.raises(IntegrityError) as refused:
        world.house.store.forget()
    assert "keep keys.copy aside" in refused.value.hint
