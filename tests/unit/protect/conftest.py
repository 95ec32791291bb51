"""A practice in memory with a doctor, a secretary and a DPO."""

from __future__ import annotations

import pytest
from tests.practices import World, memory_world

from serment.core.crypto import password
from serment.core.crypto.password import Cost
from serment.core.records.vault import Role


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Derive with the least cost allowed: what it costs is tested with the cryptography."""
    monkeypatch.setattr(password.seal_with_password, "__defaults__", (Cost(8192, 1, 1),))


@pytest.fixture
def world() -> World:
    """Founded, with one member of each kind."""
    world = memory_world()
    world.add("docteur", Role.DOCTOR)
    world.add("secretaire", Role.SECRETARY, by="docteur")
    world.add("dpo", Role.DPO)
    return world
