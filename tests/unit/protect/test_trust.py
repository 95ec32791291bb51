"""Somebody writes the database while the practice is locked: what he put there gets no key."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from tests.practices import World, patient, report, study

from serment.app import circles, epochs
from serment.app.keyring import Keyring
from serment.app.protect import members
from serment.app.wrapping import Wrapper
from serment.core.crypto.entropy import new_id
from serment.core.crypto.keys import new_seed, public_key
from serment.core.journal.entries import Entry, EventKind
from serment.core.records import names
from serment.core.records.vault import (
    Circle,
    CircleKind,
    Member,
    MemberState,
    Role,
    Row,
    Setting,
    Wrap,
    WrapKind,
    WrapMethod,
)
from serment.errors import AccessDenied, IntegrityError


def write(world: World, rows: Iterable[Row], delete: Iterable[Row] = ()) -> None:
    """What somebody with the disk does with a copy of SQLite."""
    entry = Entry(EventKind.REPAIRED, world.house.clock.now(), "thief", {})
    with world.house.store.change(entry) as tx:
        for row in delete:
            tx.delete(row)
        for row in rows:
            tx.put(row)


def test_an_inserted_member_gets_no_seed_at_the_next_epoch(world: World) -> None:
    seed = new_seed()
    thief = Member(
        new_id(),
        "voleur",
        (Role.DOCTOR,),
        ("secretariat", "care"),
        public_key(seed),
        MemberState.ACTIVE,
        world.house.clock.now(),
    )
    rows: list[Row] = [thief]
    for name in ("care", "secretariat"):
        circle = circles.current(world.house.store)[name]
        rows.append(
            Wrap(
                WrapKind.CIRCLE_SEED,
                names.circle_seed(name, circle.epoch),
                names.member(thief.id),
                0,
                WrapMethod.HPKE,
                bytes(1168),
            )
        )
        rows.append(replace(circle, stale=True))
    write(world, rows)
    world.open("docteur")
    assert circles.current(world.house.store)["care"].epoch == 2
    recipients = {
        wrap.recipient
        for wrap in world.house.store.find(Wrap, kind=WrapKind.CIRCLE_SEED)
        if wrap.subject in ("circle:care@2", "circle:secretariat@2")
    }
    assert names.member(thief.id) not in recipients
    secretary = members.find(world.house.store, "secretaire")
    assert names.member(secretary.id) in recipients  # she was admitted, so she stays


@pytest.mark.parametrize("give_seed", [False, True])
def test_an_inserted_epoch_stops_the_circle(world: World, give_seed: bool) -> None:
    with world.signed_in("docteur") as session:  # he knows the circle
        doctor = session.member
    seed = new_seed()
    care = circles.current(world.house.store)["care"]
    forged = Circle("care", CircleKind.CARE, 2, public_key(seed), care.created)
    rows: list[Row] = [forged]
    if give_seed:  # anybody can seal a seed of his to the doctor
        subject = names.circle_seed("care", 2)
        rows.append(
            Wrapper(world.house.vault, WrapKind.CIRCLE_SEED, subject, seed).to_member(doctor)
        )
    world.receive([report(study(patient()))])
    write(world, rows)
    world.open("docteur")
    assert circles.current(world.house.store)["care"].stopped
    with pytest.raises(AccessDenied, match="stopped"):
        world.receive([report(study(patient(), 2))])
    ring = Keyring(world.house.vault, names.circle("care"), seed, 2)
    kinds = (WrapKind.PATIENT_CLINICAL, WrapKind.PATIENT_IDENTITY)
    for wrap in world.house.store.find(Wrap):
        if wrap.kind in kinds:
            assert ring.key(world.house.store, wrap.kind, wrap.subject) is None


def test_a_replaced_reader_circle_gets_no_identity(world: World) -> None:
    with world.signed_in("docteur"):
        pass
    seed = new_seed()
    dpo = circles.current(world.house.store)["dpo"]
    write(world, [replace(dpo, epoch=2, public_key=public_key(seed))])
    world.receive([report(study(patient()))])
    world.open("docteur")
    assert circles.current(world.house.store)["dpo"].stopped
    ring = Keyring(world.house.vault, names.circle("dpo"), seed, 2)
    subjects = [w.subject for w in world.house.store.find(Wrap, kind=WrapKind.PATIENT_IDENTITY)]
    assert subjects
    assert all(
        ring.key(world.house.store, WrapKind.PATIENT_IDENTITY, subject) is None
        for subject in subjects
    )


def test_a_dpo_circle_renewed_in_good_faith_is_accepted_by_the_secretariat(world: World) -> None:
    world.add("dpo2", Role.DPO, by="dpo")
    for login in ("docteur", "dpo", "dpo2"):
        with world.signed_in(login):
            pass
    with world.signed_in("admin") as session:
        members.remove(world.house, session.member, "dpo2")
    with world.signed_in("dpo"):
        assert circles.current(world.house.store)["dpo"].epoch == 2
    with world.signed_in("docteur"):
        assert circles.current(world.house.store)["dpo"].stopped
    with world.signed_in("admin") as session, pytest.raises(AccessDenied):
        epochs.accept(world.house, session.member, session.ring, "dpo")
    with world.signed_in("secretaire") as session:
        epochs.accept(world.house, session.member, session.ring, "dpo")
    world.receive([report(study(patient()))])
    with world.signed_in("docteur"):
        assert not circles.current(world.house.store)["dpo"].stopped
    with world.signed_in("dpo"):
        assert len(world.practice.tables["dpo"].table.dump()[0]) == 1


def test_a_second_recovery_key_lets_nobody_open(world: World) -> None:
    recovery = circles.recovery(world.house.store)
    write(world, [replace(recovery, epoch=2, public_key=public_key(new_seed()))])
    with pytest.raises(IntegrityError):
        world.open("docteur")


def test_deleted_pins_are_noticed(world: World) -> None:
    with world.signed_in("docteur") as session:
        doctor = session.member
    pins = world.house.store.get(Setting, f"pins:{doctor.id}")
    assert pins is not None
    write(world, [], delete=[pins])
    with pytest.raises(IntegrityError):
        world.open("docteur")


def test_a_true_new_epoch_is_believed_by_everybody(world: World) -> None:
    world.add("confrere", Role.DOCTOR, by="docteur")
    for login in ("docteur", "secretaire", "confrere"):
        with world.signed_in(login):
            pass
    with world.signed_in("admin") as session:
        members.remove(world.house, session.member, "confrere")
    for login in ("docteur", "secretaire", "docteur"):
        with world.signed_in(login):
            pass
    now = circles.current(world.house.store)
    assert {name: now[name].epoch for name in ("care", "secretariat")} == {
        "care": 2,
        "secretariat": 2,
    }
    assert not any(circle.stopped for circle in now.values())
