"""Devices send to care circles that exist."""

from __future__ import annotations

import pytest
from tests.practices import World, memory_world

from serment.app.protect import devices
from serment.errors import NotFound


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
