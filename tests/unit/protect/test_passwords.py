"""A password is changed by its member: the new one opens, the old one nothing any more."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.practices import PASSWORD, World, disk_world

from serment.adapters.memory.clock import MemoryClock
from serment.app.protect import members
from serment.app.protect.sessions import Peer
from serment.core.access.throttle import FAILURES
from serment.core.journal.entries import EventKind
from serment.core.masked import Masked
from serment.core.records.vault import Role, Wrap, WrapKind, WrapMethod
from serment.errors import AccessDenied, Busy, SermentError, UsageError

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


def test_the_second_copy_forgets_at_once_what_was_deleted(tmp_path: Path) -> None:
    world, copy = disk_world(tmp_path), tmp_path / "keys.copy"
    world.add("dpo", Role.DPO)
    world.house.store.copy_keys()
    (old,) = (w for w in password_wraps(world) if w.blob in copy.read_bytes() and _is(world, w))
    member, seed = members.unlock(world.house, "dpo", PASSWORD)
    members.change_password(world.house, member, seed, NEW)
    world.practice.end_member(member.id)
    assert old.blob not in copy.read_bytes()
    world.add("secretaire", Role.SECRETARY)
    world.house.store.copy_keys()
    (theirs,) = (w for w in password_wraps(world) if _is(world, w, "secretaire"))
    assert theirs.blob in copy.read_bytes()
    world.add("autre", Role.SECRETARY, by="secretaire")
    with world.signed_in("admin") as session:
        removed = members.remove(world.house, session.member, "secretaire")
        world.practice.end_member(removed.id)
        assert theirs.blob not in copy.read_bytes()


def test_a_copy_that_the_disk_refuses_keeps_no_session_and_is_made_later(tmp_path: Path) -> None:
    world, copy = disk_world(tmp_path), tmp_path / "keys.copy"
    world.add("docteur", Role.DOCTOR)
    world.add("confrere", Role.DOCTOR, by="docteur")
    world.house.store.copy_keys()
    (theirs,) = (w for w in password_wraps(world) if _is(world, w, "confrere"))
    leaving = world.open("confrere")
    (tmp_path / "keys.copy.new").mkdir()  # in the way of the copy
    with world.signed_in("admin") as session:
        removed = members.remove(world.house, session.member, "confrere")
        world.practice.end_member(removed.id)
        assert leaving.token not in world.practice.sessions
        assert theirs.blob in copy.read_bytes()
        (tmp_path / "keys.copy.new").rmdir()
        world.practice.tidy()
        assert theirs.blob in copy.read_bytes()  # a full disk is not tried every second
        assert isinstance(world.house.clock, MemoryClock)
        world.house.clock.advance(61)
        world.practice.tidy()
        assert theirs.blob not in copy.read_bytes()


def test_a_new_password_ends_the_other_sessions_of_its_member_alone(world: World) -> None:
    mine, other, colleague = (world.open(each) for each in ("docteur", "docteur", "secretaire"))
    world.practice.end_member(mine.member.id, "password changed", but=mine)
    assert set(world.practice.sessions) == {mine.token, colleague.token}
    assert other.token not in world.practice.sessions


def _is(world: World, wrap: Wrap, login: str = "dpo") -> bool:
    return members.find(world.house.store, login).id in wrap.subject


def test_guesses_at_once_are_not_freer_than_one_after_the_other(world: World) -> None:
    def guess(number: int) -> type[Exception]:
        peer = Peer(f"192.0.2.{number}:40000", "192.0.2.1:8443", tls=True)
        with pytest.raises(SermentError) as refused:
            world.practice.sign_in("docteur", Masked("Faux-Mot-De-Passe-12"), peer=peer)
        return refused.type

    with ThreadPoolExecutor(20) as pool:
        answers = Counter(pool.map(guess, range(20)))
    assert answers == {AccessDenied: FAILURES, Busy: 20 - FAILURES}
    world.open("docteur")  # on the server itself
