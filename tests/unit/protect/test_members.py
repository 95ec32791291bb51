"""Members: the first makes the circle, later ones wait, removal takes keys away at once."""

from __future__ import annotations

import pytest
from tests.practices import PASSWORD, World, memory_world, patient, report, study

from serment.app import circles
from serment.app.keyring import Keyring
from serment.app.protect import kit, members
from serment.core.masked import Masked
from serment.core.records.vault import Member, MemberState, Role, Wrap, WrapKind
from serment.errors import AccessDenied, Conflict, UsageError


def test_the_first_doctor_is_active_and_makes_both_circles() -> None:
    world = memory_world()
    assert world.add("docteur", Role.DOCTOR) == "active"
    assert {"care", "secretariat"} <= set(circles.current(world.house.store))


def test_a_later_one_waits_until_a_sitting_member_admits_him(world: World) -> None:
    assert world.add("remplacant", Role.DOCTOR) == "pending"
    with world.signed_in("remplacant") as session:
        assert session.care == []
    with world.signed_in("docteur") as session:
        members.admit(world.house, session.member, session.ring, "remplacant")
    with world.signed_in("remplacant") as session:
        assert session.care == ["care"]


def test_the_words_that_were_compared_must_be_his(world: World) -> None:
    world.add("remplacant", Role.DOCTOR)
    pending = members.find(world.house.store, "remplacant")
    with world.signed_in("docteur") as session:
        others = members.words(session.member)
        with pytest.raises(Conflict, match="compared"):
            members.admit(world.house, session.member, session.ring, "remplacant", others)
        admitted = members.admit(
            world.house, session.member, session.ring, "remplacant", members.words(pending)
        )
    assert admitted.state is MemberState.ACTIVE


def test_a_secretary_cannot_admit_to_a_care_circle(world: World) -> None:
    world.add("remplacant", Role.DOCTOR)
    with world.signed_in("secretaire") as session:
        row = members.admit(world.house, session.member, session.ring, "remplacant")
    assert row.state is MemberState.PENDING  # he got the secretariat, which she holds
    with world.signed_in("remplacant") as session:
        assert session.care == []


def test_an_administrator_holds_no_circle(world: World) -> None:
    with world.signed_in("admin") as session:
        assert session.ring.circles == frozenset()


def test_only_an_administrator_makes_administrators(world: World) -> None:
    with pytest.raises(AccessDenied):
        world.add("autre", Role.ADMINISTRATOR, by="docteur")


def test_a_weak_password_is_refused(world: World) -> None:
    with world.signed_in("admin") as session, pytest.raises(UsageError):
        members.add(
            world.house, session.member, session.ring, "x", Masked("short"), [Role.SECRETARY]
        )


def test_a_login_is_unique(world: World) -> None:
    with pytest.raises(Conflict):
        world.add("docteur", Role.SECRETARY)


def test_removal_deletes_every_wrap_and_the_next_session_renews_the_circle(world: World) -> None:
    world.add("confrere", Role.DOCTOR, by="docteur")
    world.receive([report(study(patient()))])
    leaver = members.find(world.house.store, "confrere")
    with world.signed_in("admin") as session:
        members.remove(world.house, session.member, "confrere")
    assert not world.house.store.find(Wrap, recipient=f"member:{leaver.id}")
    with pytest.raises(AccessDenied):
        world.open("confrere")
    assert circles.current(world.house.store)["care"].stale
    with world.signed_in("docteur") as session:
        assert circles.current(world.house.store)["care"].epoch == 2
        assert not circles.current(world.house.store)["care"].stale
        world.receive([report(study(patient(), 2))])
        world.practice.refresh()
        assert len(world.practice.tables["care"].table.dump()[1]) == 2  # old and new epoch


def test_the_last_member_of_a_circle_cannot_be_removed(world: World) -> None:
    with world.signed_in("admin") as session:
        with pytest.raises(Conflict):
            members.remove(world.house, session.member, "docteur")
        with pytest.raises(Conflict):
            members.remove(world.house, session.member, "admin")


def test_the_kit_rescues_a_member_who_lost_his_password(world: World) -> None:
    world.receive([report(study(patient()))])
    ring = kit.open_with(world.house, world.founded.shares[:2])
    fresh = Masked("Citron-Lampe-58-Falaise")
    members.rescue(world.house, ring, "docteur", fresh)
    with pytest.raises(AccessDenied):
        world.open("docteur")
    session = world.practice.sign_in("docteur", fresh, need_code=False)
    assert session.care == ["care"]
    assert len(world.practice.tables["care"].table.dump()[1]) == 1


def test_a_foreign_kit_is_refused(world: World) -> None:
    other = memory_world()
    with pytest.raises(AccessDenied):
        kit.open_with(world.house, other.founded.shares[:2])


def test_a_swapped_public_key_stops_receiving_for_the_circle(world: World) -> None:
    from dataclasses import replace

    from serment.core.crypto.keys import new_seed, public_key
    from serment.core.journal.entries import Entry, EventKind
    from serment.errors import AccessDenied

    care = circles.current(world.house.store)["care"]
    thief = replace(care, public_key=public_key(new_seed()))
    with world.house.store.change(
        Entry(EventKind.REPAIRED, world.house.clock.now(), "thief", {})
    ) as tx:
        tx.put(thief)
    world.open("docteur")
    assert circles.current(world.house.store)["care"].stopped
    with pytest.raises(AccessDenied, match="stopped"):
        world.receive([report(study(patient()))])


def test_a_swapped_member_key_is_noticed(world: World) -> None:
    from dataclasses import replace

    from serment.core.crypto.keys import new_seed, public_key
    from serment.core.journal.entries import Entry, EventKind
    from serment.errors import IntegrityError

    row = members.find(world.house.store, "docteur")
    with world.house.store.change(
        Entry(EventKind.REPAIRED, world.house.clock.now(), "thief", {})
    ) as tx:
        tx.put(replace(row, public_key=public_key(new_seed())))
    with pytest.raises(IntegrityError):
        world.open("docteur")


def test_no_seed_is_stored_but_under_wraps(world: World) -> None:
    with world.signed_in("docteur") as session:
        ring: Keyring = session.ring
        seeds = [ring.seed(f"circle:{name}").reveal() for name in ring.circles]
        seeds.append(ring.seed(f"member:{session.member.id}").reveal())
    stored = b"".join(w.blob for w in world.house.store.find(Wrap))
    stored += b"".join(m.public_key for m in world.house.store.find(Member))
    assert seeds
    assert all(seed not in stored for seed in seeds)
    assert PASSWORD.reveal().encode() not in stored
    kinds = {w.kind for w in world.house.store.find(Wrap)}
    assert {WrapKind.MEMBER_SEED, WrapKind.CIRCLE_SEED, WrapKind.CA_KEY} <= kinds
