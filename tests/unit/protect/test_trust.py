"""Somebody writes the database while the practice is locked: what he put there gets no key.

While it is open: `test_believing`.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.practices import World, memory_world, patient, report, study
from tests.unit.protect.thief import opened_by, write

from serment.app import cards, circles, epochs
from serment.app.keyring import Keyring
from serment.app.protect import members
from serment.app.wrapping import Wrapper
from serment.core.crypto.entropy import new_id
from serment.core.crypto.keys import new_seed, public_key
from serment.core.crypto.secret import Key
from serment.core.journal.entries import Entry, EventKind
from serment.core.journal.log import entry_of
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
from serment.errors import AccessDenied, Conflict, IntegrityError, NotFound


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


def test_without_a_secretariat_of_his_the_dpo_stops_nobody(world: World) -> None:
    """He cannot tell whether the secretariat's next key is right; its own members can."""
    world.add("confrere", Role.DOCTOR, by="docteur")
    with world.signed_in("dpo"), world.signed_in("admin") as session:
        members.remove(world.house, session.member, "confrere")
    with world.signed_in("docteur"):
        assert circles.current(world.house.store)["secretariat"].epoch == 2
    with world.signed_in("dpo"):
        assert not any(c.stopped for c in circles.current(world.house.store).values())
    world.receive([report(study(patient()))])


# Seen for the first time


def test_an_inserted_dpo_gets_no_identity() -> None:
    world = memory_world()
    world.add("docteur", Role.DOCTOR)
    world.receive([report(study(patient()))])
    with world.signed_in("docteur"):
        pass
    seed = new_seed()
    write(world, [Circle("dpo", CircleKind.DPO, 1, public_key(seed), world.house.clock.now())])
    with world.signed_in("docteur"):
        world.practice.tidy()
        assert circles.current(world.house.store)["dpo"].stopped
        world.receive([report(study(patient(2, "PETIT^Luc", "19700203"), 2))])
        world.practice.refresh()
    assert opened_by(world, "circle:dpo", seed, 1) == 0


@pytest.mark.parametrize("give_seed", [False, True])
def test_an_inserted_care_circle_receives_nothing(world: World, give_seed: bool) -> None:
    """Whether its seed was given to the doctor, as if he belonged to it, or to nobody."""
    doctor, seed = members.find(world.house.store, "docteur"), new_seed()
    rows: list[Row] = [
        Circle("care-2", CircleKind.CARE, 1, public_key(seed), world.house.clock.now())
    ]
    if give_seed:
        subject = names.circle_seed("care-2", 1)
        wrapper = Wrapper(world.house.vault, WrapKind.CIRCLE_SEED, subject, seed)
        rows += [wrapper.to_member(doctor), replace(doctor, circles=(*doctor.circles, "care-2"))]
    write(world, rows)
    world.open("docteur")
    assert circles.current(world.house.store)["care-2"].stopped
    with pytest.raises(AccessDenied, match="stopped"):
        world.receive([report(study(patient()))], circle="care-2")
    assert opened_by(world, "circle:care-2", seed, 1) == 0


def test_an_appointment_by_somebody_else_is_none(world: World) -> None:
    """His own signature counts only with his own key, and that one keeps everybody out."""
    seed, authority = new_seed(), Key(bytes(32))
    forged = Circle("care-2", CircleKind.CARE, 1, public_key(seed), world.house.clock.now())
    entry = Entry(EventKind.REPAIRED, world.house.clock.now(), "thief", {})
    with world.house.store.change(entry) as tx:
        tx.put(forged)
        cards.appoint(world.house.vault, tx, forged, authority)
    with world.signed_in("docteur"):
        assert circles.current(world.house.store)["care-2"].stopped
    write(world, [Setting(cards.APPOINTING, cards.appointing_key(authority))])
    with pytest.raises(IntegrityError):
        world.open("docteur")
    with pytest.raises(AccessDenied, match="stopped"):
        world.receive([report(study(patient()))])


def test_what_an_administrator_makes_is_believed_at_once(world: World) -> None:
    assert world.add("cardiologue", Role.DOCTOR, care="cardio") == "pending"
    with world.signed_in("docteur") as session:
        members.admit(world.house, session.member, session.ring, "cardiologue")
    with world.signed_in("secretaire"):
        pass
    world.receive([report(study(patient()))], circle="cardio")
    with world.signed_in("cardiologue") as session:
        assert len(world.practice.tables["cardio"].table.dump()[1]) == 1
    assert not any(circle.stopped for circle in circles.current(world.house.store).values())


def test_a_dpo_before_the_first_doctor_reads_identities() -> None:
    world = memory_world()
    world.add("dpo", Role.DPO)
    world.add("docteur", Role.DOCTOR)
    world.receive([report(study(patient()))])
    with world.signed_in("docteur"), world.signed_in("dpo"):
        assert len(world.practice.tables["dpo"].table.dump()[0]) == 1
        assert list(world.practice.filing("dpo").book)


# Recovery, and what was right after all


def test_nothing_is_received_for_another_recovery_key(world: World) -> None:
    recovery = circles.recovery(world.house.store)
    write(world, [replace(recovery, epoch=2, public_key=public_key(new_seed()))])
    with pytest.raises(IntegrityError):
        world.open("secretaire")
    with pytest.raises(AccessDenied, match="stopped"):
        world.receive([report(study(patient()))])


@pytest.mark.parametrize("name", ["care", "secretariat", "dpo", "recovery"])
def test_a_repaired_circle_receives_again(world: World, name: str) -> None:
    with world.signed_in("docteur"):
        pass
    right = circles.current(world.house.store)[name]
    write(world, [replace(right, public_key=public_key(new_seed()))])
    try:
        world.practice.lock(world.open("docteur"))
    except IntegrityError:
        assert name == "recovery"
    stopped = circles.current(world.house.store)[name]
    assert stopped.stopped
    write(world, [replace(stopped, public_key=right.public_key)])
    with world.signed_in("docteur"):
        assert not circles.current(world.house.store)[name].stopped
    world.receive([report(study(patient()))])
    kinds = [e.kind for e in map(entry_of, world.house.store.journal()) if e]
    assert kinds.count(EventKind.CIRCLE_STOPPED) == kinds.count(EventKind.CIRCLE_RESUMED) == 1


def test_a_circle_is_accepted_with_the_words_that_were_compared(world: World) -> None:
    seed = new_seed()
    new = Circle("cardio", CircleKind.CARE, 1, public_key(seed), world.house.clock.now())
    write(world, [new])  # as an administrator without the authority's key would have
    with world.signed_in("secretaire") as session:
        house, acting, ring = world.house, session.member, session.ring
        others = epochs.words(circles.recovery(house.store))
        with pytest.raises(Conflict, match="compared"):
            epochs.accept(house, acting, ring, "cardio", others)
        assert circles.current(house.store)["cardio"].stopped
        epochs.accept(house, acting, ring, "cardio", epochs.words(new))
        for name in ("care", "secretariat", "cardio"):  # receiving, or nobody's to accept
            with pytest.raises(NotFound):
                epochs.accept(house, acting, ring, name)
    with world.signed_in("docteur"):
        assert not circles.current(world.house.store)["cardio"].stopped
    world.receive([report(study(patient()))], circle="cardio")


def test_what_was_accepted_stays_so_when_the_secretariat_gets_a_new_key(world: World) -> None:
    new = Circle("cardio", CircleKind.CARE, 1, public_key(new_seed()), world.house.clock.now())
    write(world, [new])
    world.add("confrere", Role.DOCTOR, by="docteur")
    with world.signed_in("secretaire") as session:
        epochs.accept(world.house, session.member, session.ring, "cardio")
    with world.signed_in("admin") as session:
        members.remove(world.house, session.member, "confrere")
    for login in ("docteur", "secretaire", "docteur"):
        with world.signed_in(login):
            now = circles.current(world.house.store)
            assert (now["secretariat"].epoch, now["cardio"].stopped) == (2, False)
