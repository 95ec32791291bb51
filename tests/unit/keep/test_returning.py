"""Rows come back from the second copy of the keys as the journal tells of them, and no others."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.practices import World
from tests.unit.keep.conftest import change, copied

from serment.app.keep.returning import take_back
from serment.app.keep.rows import ADDED, compare
from serment.core.journal.rows import NEEDED
from serment.core.records.rows import SHAPES
from serment.core.records.vault import Member, Role, Wrap

Spoil = Callable[..., None]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return copied(tmp_path)


@pytest.fixture
def spoil(tmp_path: Path) -> Spoil:
    """Run statements past Serment, in one of the two files."""

    def run(*statements: str, file: str = "vault.sqlite3") -> None:
        with closing(sqlite3.connect(tmp_path / file)) as database, database:
            for sql in statements:
                database.execute(sql)

    return run


def back(world: World) -> int:
    """How many rows came back."""
    remarks = take_back(world.house, compare(world.house.store).odd)
    return sum(int(remark.values["count"]) for remark in remarks)


def rows_of(world: World, kind: type[Any]) -> list[Any]:
    return sorted(world.house.store.find(kind), key=repr)


def test_nothing_comes_back_where_nothing_is_odd(world: World) -> None:
    assert back(world) == 0


@pytest.mark.parametrize("kind", NEEDED, ids=lambda kind: kind.__name__)
def test_every_kind_of_row_comes_back(world: World, spoil: Spoil, kind: type[Any]) -> None:
    whole = rows_of(world, kind)
    spoil("PRAGMA foreign_keys = OFF", f"DELETE FROM {SHAPES[kind].table}")
    assert back(world) == len(whole)
    assert rows_of(world, kind) == whole
    assert compare(world.house.store).odd == []


def test_what_was_deleted_since_stays_deleted(world: World, spoil: Spoil) -> None:
    gone, other = world.house.store.find(Wrap)[:2]
    change(world, delete=[gone])
    spoil(f"DELETE FROM wrap WHERE subject = '{other.subject}' AND kind = '{other.kind.value}'")
    assert back(world) > 0
    assert gone not in world.house.store.find(Wrap)
    assert other in world.house.store.find(Wrap)


def test_what_was_written_since_is_not_replaced_by_the_older(world: World, spoil: Spoil) -> None:
    world.add("secretaire", Role.SECRETARY)
    spoil("DELETE FROM member WHERE login = 'secretaire'", "UPDATE wrap SET blob = x'00'")
    back(world)
    assert [each.login for each in world.house.store.find(Member)].count("secretaire") == 0
    left = {each.row for each in compare(world.house.store).odd}
    assert left  # what only the database had is still named


def test_a_row_that_is_damaged_in_both_stays_named(world: World, spoil: Spoil) -> None:
    for file in ("vault.sqlite3", "keys.copy"):
        spoil("UPDATE wrap SET blob = x'00' WHERE kind = 'member-seed'", file=file)
    assert back(world) == 0
    assert {each.table for each in compare(world.house.store).odd} == {"wrap"}


def test_a_login_that_somebody_took_keeps_only_that_row_out(world: World, spoil: Spoil) -> None:
    spoil(
        "DELETE FROM wrap WHERE kind = 'circle-seed'",
        "UPDATE member SET id = 'f' || id WHERE login = 'docteur'",
    )
    assert back(world) > 0
    assert {each.message for each in compare(world.house.store).odd} >= {ADDED}
    assert {each.table for each in compare(world.house.store).odd} == {"member"}


@pytest.mark.parametrize("how", ["no copy", "no database"])
def test_a_copy_that_would_not_do_brings_nothing(
    world: World, spoil: Spoil, tmp_path: Path, how: str
) -> None:
    spoil("DELETE FROM wrap")
    copy = tmp_path / "keys.copy"
    copy.unlink() if how == "no copy" else copy.write_bytes(b"x" * 5000)
    assert back(world) == 0
