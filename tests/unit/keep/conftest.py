"""A practice in memory, with cheap passwords, and what flips one bit of a row."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.practices import World, disk_world, memory_world, patient, report, study

from serment.core.crypto import password
from serment.core.crypto.password import Cost
from serment.core.journal.entries import Entry, EventKind
from serment.core.records.vault import Role


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Derive with the least cost allowed: what it costs is tested with the cryptography."""
    monkeypatch.setattr(password.seal_with_password, "__defaults__", (Cost(8192, 1, 1),))


@pytest.fixture
def world() -> World:
    """Three patients, one report each; nobody has opened the practice yet."""
    world = memory_world()
    world.add("docteur", Role.DOCTOR)
    for number in (1, 2, 3):
        person = patient(number, f"FICTIF{'ABC'[number - 1]}^Personne", f"196{number}0101")
        world.receive([report(study(person, number))])
    return world


def copied(folder: Path) -> World:
    """A practice on disk with one patient, its keys copied just now."""
    world = disk_world(folder)
    world.add("docteur", Role.DOCTOR)
    world.receive([report(study(patient()))])
    with world.signed_in("docteur"):
        pass
    world.house.store.copy_keys()
    return world


def damage(world: World, row: Any, column: str = "blob") -> None:
    """Flip one bit of a column of that row."""
    value = getattr(row, column)
    change(world, put=[replace(row, **{column: bytes([value[0] ^ 1]) + value[1:]})])


def change(world: World, put: list[Any] | None = None, delete: list[Any] | None = None) -> None:
    """Write and delete rows as whoever has the database could."""
    entry = Entry(EventKind.REPAIRED, world.house.clock.now(), "test", {})
    with world.house.store.change(entry) as tx:
        for row in put or []:
            tx.put(row)
        for row in delete or []:
            tx.delete(row)


class Silent:
    """Progress that nobody watches."""

    def total(self, count: int) -> None:
        pass

    def step(self, count: int = 1) -> None:
        pass
