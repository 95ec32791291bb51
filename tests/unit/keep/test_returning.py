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

from serment.app.keep.returning import COME_BACK, KEPT_AS_FOUND, take_back
from serment.app.keep.rows import compare
from serment.core.records.rows import SHAPES, name_of
from serment.core.records.vault import Role, Wrap, WrapKind

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


@pytest.mark.parametrize("kind", COME_BACK, ids=lambda kind: kind.__name__)
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
    seed = world.house.store.find(Wrap, kind=WrapKind.MEMBER_SEED)[-1]
    spoil("UPDATE wrap SET blob = x'00'")
    back(world)
    left = {each.row for each in compare(world.house.store).odd}
    assert name_of(seed) in left  # what only the database had is still named


def test_a_row_that_is_damaged_in_both_stays_named(world: World, spoil: Spoil) -> None:
    for file in ("vault.sqlite3", "keys.copy"):
        spoil("UPDATE wrap SET blob = x'00' WHERE kind = 'member-seed'", file=file)
    assert back(world) == 0
    assert {each.table for each in compare(world.house.store).odd} == {"wrap"}


@pytest.mark.parametrize("kind", KEPT_AS_FOUND, ids=lambda kind: kind.__name__)
def test_whom_things_are_sealed_to_stays_as_somebody_left_it(
    world: World, spoil: Spoil, kind: type[Any]
) -> None:
    spoil("PRAGMA foreign_keys = OFF", f"DELETE FROM {SHAPES[kind].table}", "DELETE FROM wrap")
    assert back(world) == len(world.house.store.find(Wrap)) > 0
    assert rows_of(world, kind) == []


@pytest.mark.parametrize("how", ["no copy", "no database"])
def test_a_copy_that_would_not_do_brings_nothing(
    world: World, spoil: Spoil, tmp_path: Path, how: str
) -> None:
    spoil("DELETE FROM wrap")
    copy = tmp_path / "keys.copy"
    copy.unlink() if how == "no copy" else copy.write_bytes(b"x" * 5000)
    assert back(world) == 0
