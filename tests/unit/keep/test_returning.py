"""Rows come back from the second copy of the keys as the journal tells of them, and no others."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.practices import World
from tests.unit.keep.conftest import change, copied
from tests.unit.keep.test_copy import opened_again

from serment.app.keep.returning import COME_BACK, KEPT_AS_FOUND, take_back
from serment.app.keep.rows import compare
from serment.core.journal.log import entry_of
from serment.core.records.rows import SHAPES, name_of
from serment.core.records.vault import Compartment, Patient, Role, Wrap, WrapKind

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


DAMAGED_ENTRY = {
    "a brace": "body = CAST(replace(body, '{\"actor', 'z\"actor') AS BLOB)",
    "a letter": "body = CAST(replace(replace(body, 'wraps_', 'wrapr_'), 'rows', 'rowr') AS BLOB)",
    "the actor": "body = CAST(replace(body, '\"test\"', '\"tesu\"') AS BLOB)",
    "the salt": "salt = zeroblob(32)",
    "another number": "number = number + 7",
    "gone": "DELETE FROM journal",
}


@pytest.fixture(params=DAMAGED_ENTRY)
def damage_entry(spoil: Spoil, request: pytest.FixtureRequest) -> Callable[[int], None]:
    """One entry is not what was written."""
    what = DAMAGED_ENTRY[request.param]
    statement = what if what.startswith("DELETE") else f"UPDATE journal SET {what}"
    return lambda number: spoil(f"{statement} WHERE number = {number}")


def now(world: World) -> list[Wrap]:
    return sorted(world.house.store.find(Wrap), key=name_of)


@pytest.mark.parametrize("later", [0, 2])
@pytest.mark.parametrize("how", ["erased", "revoked", "replaced"])
def test_what_an_entry_deleted_or_replaced_stays_so_when_that_entry_is_damaged(
    world: World, spoil: Spoil, damage_entry: Callable[[int], None], how: str, later: int
) -> None:
    """Nobody can say any more what it told of: no row comes back, whatever else is lost."""
    first = {"erased": WrapKind.ENVELOPE_SEED, "revoked": WrapKind.CIRCLE_SEED}
    kind = first.get(how, WrapKind.MEMBER_SEED)
    old = world.house.store.find(Wrap, kind=kind)[0]
    number = world.house.store.journal_size()
    if how == "replaced":
        change(world, put=[replace(old, blob=b"a new password")])
    else:
        change(world, delete=[old])
    for _ in range(later):
        change(world)
    damage_entry(number)
    spoil("DELETE FROM wrap WHERE kind = 'patient-identity' AND recipient = 'recovery'")
    left = now(world)
    assert old not in left
    assert back(world) == 0
    assert now(world) == left
    assert "recovery" in str(compare(world.house.store).odd)


def test_an_entry_that_was_damaged_before_the_copy_was_written_holds_nothing_back(
    world: World, spoil: Spoil, damage_entry: Callable[[int], None]
) -> None:
    """What it deleted is not in the copy."""
    gone, lost = world.house.store.find(Wrap)[:2]
    number = world.house.store.journal_size()
    change(world, delete=[gone])
    change(world)
    damage_entry(number)
    world.house.store.copy_keys()
    left = now(world)
    spoil(f"DELETE FROM wrap WHERE recipient = '{lost.recipient}'")
    assert back(world) > 0
    assert now(world) == left


def test_a_copy_of_another_journal_brings_nothing_back(
    world: World, spoil: Spoil, tmp_path: Path
) -> None:
    """An older database took the newer one's place; a wrap deleted in it stands in the copy."""
    world.house.store.close()
    older = (tmp_path / "vault.sqlite3").read_bytes()
    newer = opened_again(world, tmp_path)
    change(newer)
    newer.house.store.copy_keys()
    newer.house.store.close()
    (tmp_path / "vault.sqlite3").write_bytes(older)
    again = opened_again(world, tmp_path)
    gone = again.house.store.find(Wrap)[0]
    number = again.house.store.journal_size()
    change(again, delete=[gone])
    change(again)
    spoil(f"UPDATE journal SET body = zeroblob(9) WHERE number = {number}")
    assert back(again) == 0
    assert gone not in again.house.store.find(Wrap)


def test_many_rows_come_back_in_one_change(world: World, spoil: Spoil) -> None:
    several = len(world.house.store.find(Wrap))
    before = world.house.store.journal_size()
    spoil("DELETE FROM wrap")
    assert back(world) == several > 10
    (told,) = (entry_of(row) for row in world.house.store.journal(before))
    assert told is not None
    assert told.details["what"] == "row-taken-back"
    assert told.details["count"] == len(told.details["wraps_made"]) == several


def test_a_row_whose_place_is_taken_holds_no_other_back(world: World, spoil: Spoil) -> None:
    clock = world.house.clock.now()
    people = [Patient(f"p{number}", b"sealed", clock) for number in range(9)]
    parts = [Compartment(f"c{number}", f"p{number}", "care") for number in range(9)]
    change(world, put=[*people, *parts])
    world.house.store.copy_keys()
    before = world.house.store.journal_size()
    spoil("DELETE FROM compartment WHERE id != 'c4'", "UPDATE compartment SET id = 'other'")
    assert back(world) >= 8
    found = {row.id for row in world.house.store.find(Compartment)}
    assert {part.id for part in parts} - found == {"c4"}
    assert {each.row for each in compare(world.house.store).odd} == {"c4", "other"}
    assert world.house.store.journal_size() - before < 8


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
