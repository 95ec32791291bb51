"""The second copy of the keys: doctor says when it would not bring back what it must, and writes it anew
where nothing is lost by that.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.practices import World, patient, report, study
from tests.unit.keep.conftest import copied

from serment.adapters.memory.clock import MemoryClock
from serment.adapters.sqlite.store import SqliteStore
from serment.app.keep.copy import OLD, doubt
from serment.core.journal.entries import Entry, EventKind


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A practice on disk with one patient, copied just now."""
    return copied(tmp_path)


def said(world: World) -> tuple[str, bool]:
    found = doubt(world.house.store, world.house.clock.now())
    return ("", True) if found is None else (found.message.format(**found.values), found.renew)


def in_copy(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / "keys.copy")) as copy, copy:
        for sql in statements:
            copy.execute(sql)


def pass_time(world: World, time: timedelta) -> None:
    assert isinstance(world.house.clock, MemoryClock)
    world.house.clock.advance(time.total_seconds())


def opened_again(world: World, folder: Path) -> World:
    """The same practice with the files as they are now."""
    store = SqliteStore(folder / "vault.sqlite3", folder / "keys.copy")
    return World(replace(world.house, store=store), world.founded)


def test_a_fresh_copy_will_do(world: World) -> None:
    assert said(world) == ("", True)
    pass_time(world, OLD * 5)  # nothing was changed meanwhile
    world.house.store.record(Entry(EventKind.SEARCHED, world.house.clock.now(), "m"))
    pass_time(world, OLD * 5)
    assert said(world) == ("", True)


SPOILT: dict[str, Callable[[Path], object]] = {
    "there is no second": lambda folder: (folder / "keys.copy").unlink(),
    "cannot be read": lambda folder: (folder / "keys.copy").write_bytes(b"nothing " * 1000),
    "cannot be read: ": lambda folder: (folder / "keys.copy").write_bytes(b""),
    "1 rows of the second": lambda folder: in_copy(
        folder, "DELETE FROM wrap WHERE rowid = (SELECT max(rowid) FROM wrap)"
    ),
    "1 rows of": lambda folder: in_copy(
        folder, "UPDATE wrap SET blob = zeroblob(length(blob)) WHERE rowid = 1"
    ),
    "rows of the second": lambda folder: in_copy(
        folder, "DELETE FROM identity_header", "DELETE FROM envelope"
    ),
}


@pytest.mark.parametrize("what", SPOILT)
def test_a_copy_that_would_not_do_is_named_and_made_anew(
    world: World, tmp_path: Path, what: str
) -> None:
    SPOILT[what](tmp_path)
    message, renew = said(world)
    assert what in message
    assert renew
    world.house.store.copy_keys()
    assert said(world) == ("", True)


def test_an_old_copy_is_named(world: World) -> None:
    world.receive([report(study(patient(2), 2))])
    assert said(world) == ("", True)  # a server writes it every hour
    pass_time(world, OLD + timedelta(minutes=1))
    message, renew = said(world)
    assert "is old: it lacks 2 changes" in message
    assert renew
    world.house.store.copy_keys()
    assert said(world) == ("", True)


def test_a_copy_that_knows_more_than_the_database_is_kept(world: World, tmp_path: Path) -> None:
    """Somebody put an older database in the place of a newer one."""
    world.house.store.close()
    older = (tmp_path / "vault.sqlite3").read_bytes()
    later = opened_again(world, tmp_path)
    later.receive([report(study(patient(2), 2))])
    later.house.store.copy_keys()
    later.house.store.close()
    (tmp_path / "vault.sqlite3").write_bytes(older)
    message, renew = said(opened_again(world, tmp_path))
    assert "2 more entries than the database" in message
    assert not renew


def test_a_copy_of_another_vault_is_kept(world: World, tmp_path: Path) -> None:
    in_copy(tmp_path, "UPDATE journal SET leaf = zeroblob(32) WHERE number = 1")
    assert said(world) == (
        "the second copy of the keys has another journal than the database",
        False,
    )
