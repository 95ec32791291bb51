"""A password is changed by its member: the new one opens, the old one nothing any more."""

from __future__ import annotations

import pytest
from tests.practices import PASSWORD, World

from serment.app.protect import members
from serment.core.journal.entries import EventKind
from serment.core.masked import Masked
from serment.core.records.vault import Wrap, WrapKind, WrapMethod
from serment.errors import AccessDenied, UsageError

NEW = Masked("Brume-Soleil-19-Cascade")


def password_wraps(world: World) -> list[Wrap]:
    wraps = world.house.store.find(Wrap, kind=WrapKind.MEMBER_SEED)
    return [wrap for wrap in wraps if wrap.method is WrapMethod.PASSWORD]


def test_the_new_password_opens_and_the_old_one_nothing(world: World) -> None:
    before = password_wraps(world)
    member, seed = members.unlock(world.house, "docteur", PASSWORD)
    members.change_password(world.house, member, seed, NEW)
    again, same = members.unlock(world.house, "docteur", NEW)
    assert (again, same) == (member, seed)
    with pytest.raises(AccessDenied):
        members.unlock(world.house, "docteur", PASSWORD)
    after = password_wraps(world)
    assert len(after) == len(before)
    assert len(set(after) - set(before)) == 1
    *_, last = world.house.store.journal()
    assert last.body is not None
    assert EventKind.MEMBER_PASSWORD.value in last.body.decode()


def test_a_weak_new_password_changes_nothing(world: World) -> None:
    member, seed = members.unlock(world.house, "docteur", PASSWORD)
    with pytest.raises(UsageError):
        members.change_password(world.house, member, seed, Masked("short"))
    assert members.unlock(world.house, "docteur", PASSWORD)[0] == member
