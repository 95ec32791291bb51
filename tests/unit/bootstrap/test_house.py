"""Two passwords are derived at once and no more: each takes 64 MiB."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.practices import PASSWORD, World, memory_world

from serment.app.protect import members
from serment.bootstrap.folder import create
from serment.bootstrap.house import close_house, open_house
from serment.core.crypto import password
from serment.core.crypto.entropy import new_id
from serment.core.crypto.password import Cost
from serment.core.masked import Masked
from serment.core.records.vault import Role
from serment.errors import AccessDenied

NEW = Masked("Brume-Soleil-19-Cascade")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(password.seal_with_password, "__defaults__", (Cost(8192, 1, 1),))
    world = memory_world()
    world.add("docteur", Role.DOCTOR)
    return world


def test_a_vault_has_two_places(tmp_path: Path) -> None:
    house = open_house(create(tmp_path / "vault", new_id()))
    try:
        assert isinstance(house.deriving, threading.BoundedSemaphore)
        assert [house.deriving.acquire(blocking=False) for _ in range(3)] == [True, True, False]
    finally:
        close_house(house)


def right(world: World) -> None:
    members.unlock(world.house, "docteur", PASSWORD)


def unknown(world: World) -> None:
    with pytest.raises(AccessDenied):
        members.unlock(world.house, "nobody", PASSWORD)


@pytest.mark.parametrize("derive", [right, unknown])
def test_a_third_one_waits(world: World, derive: Callable[[World], None]) -> None:
    with ThreadPoolExecutor() as pool:
        with world.house.deriving, world.house.deriving:
            waiting = pool.submit(derive, world)
            with pytest.raises(TimeoutError):
                waiting.result(0.5)
        waiting.result(60)


def test_a_new_password_waits_as_well(world: World) -> None:
    member, seed = members.unlock(world.house, "docteur", PASSWORD)
    with ThreadPoolExecutor() as pool:
        with world.house.deriving, world.house.deriving:
            waiting = pool.submit(members.change_password, world.house, member, seed, NEW)
            with pytest.raises(TimeoutError):
                waiting.result(0.5)
        waiting.result(60)
    members.unlock(world.house, "docteur", NEW)
