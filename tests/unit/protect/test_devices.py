"""Devices send to care circles that exist."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode

import pytest
from tests.practices import World, memory_world

from serment.app.protect import devices
from serment.errors import AccessDenied, NotFound


def test_a_device_is_not_declared_for_a_circle_that_is_not_there(world: World) -> None:
    with world.signed_in("admin") as session:
        with pytest.raises(NotFound) as refused:
            devices.add(world.house, session.member, "ct", "CT1", "127.0.0.1", "caer")
        assert refused.value.values["circles"] == "care"
        assert devices.add(world.house, session.member, "ct", "CT1", "127.0.0.1").row.circle


def test_a_device_may_come_before_the_first_doctor() -> None:
    world = memory_world()
    with world.signed_in("admin") as session:
        assert devices.add(world.house, session.member, "ct", "CT1", "127.0.0.1", "north")


def test_what_the_vault_keeps_of_a_token_lets_nobody_send(world: World) -> None:
    with world.signed_in("admin") as session:
        new = devices.add(world.house, session.member, "ct", "CT1", "127.0.0.1")
    store, kept = world.house.store, new.row.token_hash
    assert devices.of_token(store, new.token) == new.row
    assert new.token not in repr(new.row)
    for found in (kept.hex(), b64encode(kept).decode(), urlsafe_b64encode(kept).decode(), ""):
        with pytest.raises(AccessDenied, match="not known"):
            devices.of_token(store, found)
