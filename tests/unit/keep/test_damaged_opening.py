"""A right password whose keys are damaged opens nothing, and the journal says that it was tried."""

from __future__ import annotations

import pytest
from tests.practices import World
from tests.unit.keep.conftest import damage

from serment.core.journal.entries import Entry, EventKind
from serment.core.journal.log import entry_of
from serment.core.records.vault import Member, Wrap, WrapKind
from serment.errors import AccessDenied, FormatError, IntegrityError


def tried(world: World) -> list[Entry]:
    entries = [entry_of(row) for row in world.house.store.journal()]
    return [e for e in entries if e is not None and e.kind is EventKind.LOGIN_FAILED]


def wraps(world: World, kind: WrapKind) -> list[Wrap]:
    (member,) = world.house.store.find(Member, login="docteur")
    found = world.house.store.find(Wrap, kind=kind)
    return [each for each in found if member.id in (each.subject + each.recipient)]


@pytest.mark.parametrize("kind", [WrapKind.MEMBER_SEED, WrapKind.CIRCLE_SEED])
def test_it_is_journalled_whatever_was_damaged(world: World, kind: WrapKind) -> None:
    for each in wraps(world, kind):
        damage(world, each)
    with pytest.raises((AccessDenied, IntegrityError, FormatError)), world.signed_in("docteur"):
        pass
    (entry,) = tried(world)
    assert entry.details["member"] == wraps(world, WrapKind.MEMBER_SEED)[0].subject.split(":")[1]
    assert not any(session for session in world.practice.sessions)


def test_a_sound_opening_is_no_failure(world: World) -> None:
    with world.signed_in("docteur"):
        pass
    assert tried(world) == []
