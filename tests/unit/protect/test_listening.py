"""Closed by default: what is missing is said, one thing after the other."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.practices import World

from serment.app.protect import devices, members
from serment.app.protect.listening import check_may_listen
from serment.core.journal.entries import Entry, EventKind
from serment.errors import Unavailable


def test_each_missing_thing_has_its_own_sentence(world: World) -> None:
    store = world.house.store
    with pytest.raises(Unavailable, match="second factor"):
        check_may_listen(store, certificate=True)
    administrator = members.find(store, "admin")
    entry = Entry(EventKind.SECOND_FACTOR_CHANGED, world.house.clock.now(), administrator.id)
    with store.change(entry) as tx:
        tx.put(replace(administrator, totp=b"sealed"))
    with pytest.raises(Unavailable, match="no certificate"):
        check_may_listen(store, certificate=False)
    with pytest.raises(Unavailable, match="no device"):
        check_may_listen(store, certificate=True)
    devices.add(world.house, administrator, "Scanner", "CT1", "192.0.2.10")
    check_may_listen(store, certificate=True)


def test_the_second_factor_of_somebody_else_does_not_count(world: World) -> None:
    doctor = members.find(world.house.store, "docteur")
    entry = Entry(EventKind.SECOND_FACTOR_CHANGED, world.house.clock.now(), doctor.id)
    with world.house.store.change(entry) as tx:
        tx.put(replace(doctor, totp=b"sealed"))
    with pytest.raises(Unavailable, match="second factor"):
        check_may_listen(world.house.store, certificate=True)
