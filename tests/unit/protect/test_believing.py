"""Somebody writes the database while members are signed in: what he put there gets no key."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from tests.practices import PASSWORD, World, memory_world, patient, report, study
from tests.unit.protect.thief import opened_by, write

from serment.app import cards, circles
from serment.app.protect import members, opening, repeats
from serment.app.protect.patients import Patients
from serment.app.protect.tables import CircleTable
from serment.app.wrapping import Wrapper
from serment.core.crypto.entropy import new_id
from serment.core.crypto.keys import new_key, new_seed, public_key
from serment.core.crypto.wraps import seal_value
from serment.core.journal.entries import EventKind
from serment.core.journal.log import entry_of
from serment.core.records import contexts, names
from serment.core.records.vault import (
    Compartment,
    Envelope,
    Member,
    Patient,
    Role,
    Row,
    Setting,
    StoredObject,
    Wrap,
    WrapKind,
)
from serment.errors import AccessDenied, IntegrityError, VaultLocked
from serment.ports import Matches

OTHER = patient(2, "PETIT^Luc", "19700203")


@pytest.fixture
def open_practice(world: World) -> World:
    """With two patients filed, and a doctor and a secretary signed in."""
    world.receive([report(study(patient()))])
    world.receive([report(study(OTHER, 2))])
    world.open("docteur")
    world.open("secretaire")
    world.practice.tidy()
    return world


def _held(world: World) -> set[tuple[str, str, str, int]]:
    """Who holds what of patients and envelopes."""
    kinds = (WrapKind.PATIENT_IDENTITY, WrapKind.PATIENT_CLINICAL)
    return {
        (w.kind, w.subject, w.recipient, w.epoch)
        for kind in kinds
        for w in world.house.store.find(Wrap, kind=kind)
    }


@pytest.mark.parametrize("epoch", [1, 2], ids=["in its place", "next epoch"])
@pytest.mark.parametrize("name", ["recovery", "care", "secretariat", "dpo"])
def test_an_exchanged_circle_gets_nothing_and_stops(
    open_practice: World, name: str, epoch: int
) -> None:
    world, seed = open_practice, new_seed()
    before = _held(world)
    old = circles.current(world.house.store)[name]
    care = names.circle_seed("care", 1)
    bait = world.house.store.find(Wrap, kind=WrapKind.CIRCLE_SEED, subject=care)[0]
    # a wrap of a circle's seed makes open sessions look for whom to bring up to date
    write(world, [replace(old, epoch=epoch, public_key=public_key(seed)), replace(bait, epoch=9)])
    world.practice.refresh()
    for _ in range(3):
        world.practice.tidy()
    assert circles.current(world.house.store)[name].stopped
    if name != "dpo":
        with pytest.raises(AccessDenied, match="stopped"):
            world.receive([report(study(patient(), 3))])
    world.practice.refresh()
    assert opened_by(world, names.circle(name), seed, epoch) == 0
    assert _held(world) == before


def test_before_anybody_looked_nothing_is_given_either(open_practice: World) -> None:
    """A person files, takes back, adds and admits in the moment after the exchange."""
    world, seed = open_practice, new_seed()
    world.add("remplacant", Role.DOCTOR)
    pending = members.find(world.house.store, "remplacant")
    world.receive([report(study(patient(1, birth_date="19570402"), 4))])
    world.practice.refresh()
    doctor, filing = world.open("docteur"), world.practice.filing("secretariat")
    (waiting,) = filing.waiting()
    filed, known = next((e.id, e.patient) for e in world.house.store.find(Envelope) if e.patient)
    care = circles.current(world.house.store)["care"]
    secretariat = circles.current(world.house.store)["secretariat"]
    for circle in (care, secretariat):
        write(world, [replace(circle, epoch=2, public_key=public_key(seed))])
    house, ring = world.house, doctor.ring
    tries: list[Callable[[], object]] = [
        lambda: filing.file(doctor.member.id, waiting.row.envelope, None),
        lambda: filing.file(doctor.member.id, waiting.row.envelope, known),
        lambda: filing.unfile(doctor.member.id, filed),
        lambda: members.add(house, doctor.member, ring, "neuf", PASSWORD, [Role.DOCTOR]),
        lambda: members.admit(house, doctor.member, ring, "remplacant"),
    ]
    _check_refused(world, tries)
    world.practice.refresh()  # now it is known, and the circles are stopped
    _check_refused(world, tries)
    assert not world.house.store.find(Wrap, recipient=names.member(pending.id))


def _check_refused(world: World, tries: list[Callable[[], object]]) -> None:
    before, patients = world.house.store.find(Wrap), world.house.store.find(Envelope)
    for attempt in tries:
        with pytest.raises(IntegrityError, match="not vouched for"):
            attempt()
    assert world.house.store.find(Wrap) == before
    assert world.house.store.find(Envelope) == patients


@pytest.mark.parametrize("what", ["recovery", "appointing"])
def test_a_newcomer_learns_only_what_was_believed(world: World, what: str) -> None:
    """What he pins for ever comes from a session that has not been deceived."""
    with world.signed_in("admin") as session:
        store = world.house.store
        recovery = circles.recovery(store)
        key = public_key(new_seed())
        forged = replace(recovery, epoch=2, public_key=key)
        setting = Setting(cards.APPOINTING, cards.appointing_key(new_key()))
        write(world, [forged if what == "recovery" else setting])
        with pytest.raises(IntegrityError):
            members.add(
                world.house, session.member, session.ring, "neuf", PASSWORD, [Role.ADMINISTRATOR]
            )
        assert not store.find(Member, login="neuf")


def test_deleted_pins_stop_everything(open_practice: World) -> None:
    """Without what a member has seen, nothing he finds can be told from a forgery."""
    world = open_practice
    pins = [s for s in world.house.store.find(Setting) if s.key.startswith("pins:")]
    care = circles.current(world.house.store)["care"]
    write(world, [replace(care, epoch=2, public_key=public_key(new_seed()))], delete=pins)
    world.practice.refresh()
    world.practice.tidy()
    with pytest.raises(AccessDenied, match="stopped"):
        world.receive([report(study(patient(), 3))])
    with pytest.raises(IntegrityError):
        world.practice.filing("secretariat").unfile("x", world.house.store.find(Envelope)[0].id)


def test_a_true_new_epoch_is_believed_by_who_is_signed_in(world: World) -> None:
    world.add("confrere", Role.DOCTOR, by="docteur")
    with world.signed_in("admin") as session:
        secretary = world.open("secretaire")
        members.remove(world.house, session.member, "confrere")
    world.open("docteur")
    world.practice.tidy()
    now = circles.current(world.house.store)
    assert {n: (now[n].epoch, now[n].stopped) for n in ("care", "secretariat")} == {
        "care": (2, False),
        "secretariat": (2, False),
    }
    row = members.add(
        world.house, secretary.member, secretary.ring, "aide", PASSWORD, [Role.SECRETARY]
    )
    with world.signed_in("aide") as session:
        assert session.holds("secretariat")
    assert row.login == "aide"


def test_two_sign_ins_after_a_removal_are_no_alarm(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One makes the new epochs while the other is between his password and his keys."""
    for login in ("confrere", "tiers"):
        world.add(login, Role.DOCTOR, by="docteur")
    for login in ("docteur", "tiers"):
        with world.signed_in(login):
            pass
    with world.signed_in("admin") as session:
        members.remove(world.house, session.member, "confrere")
    entering = opening.Practice._enter

    def late(practice: opening.Practice, *of: object) -> None:
        monkeypatch.setattr(opening.Practice, "_enter", entering)
        world.open("tiers")
        entering(practice, *of)  # type: ignore[arg-type]

    monkeypatch.setattr(opening.Practice, "_enter", late)
    world.open("docteur")
    assert circles.current(world.house.store)["care"].epoch == 2
    assert not any(circle.stopped for circle in circles.current(world.house.store).values())
    world.receive([report(study(patient()))])


# Removed meanwhile


@contextmanager
def _while_filling(monkeypatch: pytest.MonkeyPatch, do: Callable[[], object]) -> Iterator[None]:
    """Do something once the table of a circle was filled and before anybody sees it."""
    fill = CircleTable.fill

    def filled(table: CircleTable, steps: object = None) -> bool:
        result = fill(table, steps)  # type: ignore[arg-type]
        if steps is not None:
            monkeypatch.setattr(CircleTable, "fill", fill)
            do()
        return result

    monkeypatch.setattr(CircleTable, "fill", filled)
    yield
    monkeypatch.setattr(CircleTable, "fill", fill)


def _remove(world: World, login: str) -> None:
    with world.signed_in("admin") as session:
        row = members.remove(world.house, session.member, login)
        world.practice.end_member(row.id)


def test_a_member_removed_while_he_signs_in_stays_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add("confrere", Role.DOCTOR, by="docteur")
    with (
        _while_filling(monkeypatch, lambda: _remove(world, "confrere")),
        pytest.raises(VaultLocked),
    ):
        world.open("confrere")
    assert not world.practice.sessions
    assert not world.practice.tables


def test_a_member_removed_while_he_is_admitted_stays_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add("confrere", Role.DOCTOR)
    session = world.open("confrere")
    with world.signed_in("docteur") as doctor:
        members.admit(world.house, doctor.member, doctor.ring, "confrere")
    with (
        _while_filling(monkeypatch, lambda: _remove(world, "confrere")),
        pytest.raises(VaultLocked),
    ):
        world.practice.widen(session)
    assert not world.practice.sessions


def test_a_session_locked_while_it_is_widened_stays_locked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add("confrere", Role.DOCTOR)
    session = world.open("confrere")
    with world.signed_in("docteur") as doctor:
        members.admit(world.house, doctor.member, doctor.ring, "confrere")
    with (
        _while_filling(monkeypatch, lambda: world.practice.lock(session)),
        pytest.raises(VaultLocked),
    ):
        world.practice.widen(session)
    assert world.practice.locked()


# Nobody waits for long work


def _is_free(world: World) -> bool:
    """Whether another thread gets the house's lock."""
    got: list[bool] = []

    def try_it() -> None:
        got.append(world.house.lock.acquire(timeout=0.2))  # type: ignore[attr-defined]
        if got[0]:
            world.house.lock.release()  # type: ignore[attr-defined]

    thread = threading.Thread(target=try_it)
    thread.start()
    thread.join()
    return got[0]


def test_repeated_objects_are_compared_without_the_lock(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    same, free = repeats.same_data_set, list[bool]()

    def compare(one: repeats.ObjectReader, other: repeats.ObjectReader) -> bool:
        free.append(_is_free(world))
        return same(one, other)

    monkeypatch.setattr(repeats, "same_data_set", compare)
    for _ in range(2):
        world.receive([report(study(patient()))])
    session = world.open("docteur")
    assert free == [True]
    (first, second) = world.house.store.find(StoredObject)
    assert (first.state, second.state) == ("kept", "duplicate")
    assert len(world.reading(session).instances(Matches())) == 1


def test_two_who_compare_at_once_mark_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    same, table = repeats.same_data_set, world.practice.tables

    def compare(one: repeats.ObjectReader, other: repeats.ObjectReader) -> bool:
        monkeypatch.setattr(repeats, "same_data_set", same)
        assert repeats.mark(world.house, table["care"], "x") == (1, 0)
        return same(one, other)

    monkeypatch.setattr(repeats, "same_data_set", compare)
    world.open("docteur")
    for _ in range(2):
        world.receive([report(study(patient()))])
    world.practice.refresh()
    kinds = [e.kind for e in map(entry_of, world.house.store.journal()) if e]
    assert kinds.count(EventKind.REPEATS_FOUND) == 1


def test_who_locks_during_long_work_disturbs_nobody_else(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The doctor leaves while his objects are compared in the secretary's request."""
    same = repeats.same_data_set
    doctor = world.open("docteur")
    world.open("secretaire")

    def compare(one: repeats.ObjectReader, other: repeats.ObjectReader) -> bool:
        world.practice.lock(doctor)
        return same(one, other)

    monkeypatch.setattr(repeats, "same_data_set", compare)
    for _ in range(2):
        world.receive([report(study(patient()))])
    assert world.practice.refresh()
    assert list(world.practice.tables) == ["secretariat"]


def test_patients_are_learnt_without_the_lock_and_none_is_missed(
    open_practice: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One comes while the others are opened."""
    world, opening_of, free = open_practice, Patients._open, list[bool]()
    patients = world.practice.tables["secretariat"].patients
    patients.known = False

    def opened(self: Patients, rows: list[object], book: object) -> None:
        opening_of(self, rows, book)  # type: ignore[arg-type]
        if not free:
            free.append(_is_free(world))
            world.receive([report(study(patient(3, "GARÇON^Zoé", "19810506"), 5))])
            with world.house.lock:
                world.practice.tables["secretariat"].fill()
            envelope = world.house.store.find(Envelope, patient=None)[0].id
            world.practice.filing("secretariat").file("x", envelope, None)

    monkeypatch.setattr(Patients, "_open", opened)
    patients.learn()
    assert free == [True]
    assert len(patients.book) == 3


def test_a_practice_without_a_dpo_is_opened_and_kept_up() -> None:
    world = memory_world()
    world.add("docteur", Role.DOCTOR)
    world.receive([report(study(patient()))])
    world.open("docteur")
    world.add("dpo", Role.DPO)  # appointed while the doctor works
    world.practice.refresh()
    world.practice.tidy()
    with world.signed_in("dpo"):
        assert list(world.practice.filing("dpo").book)


@pytest.mark.parametrize("known", [False, True], ids=["compartment", "patient"])
def test_a_key_of_his_is_no_patients_key(world: World, known: bool) -> None:
    """Anybody can wrap to a public key: he puts a key he knows where the next keys would be put,
    before the doctor's first opening of what the secretary filed, or in the place of a patient's
    whose record he knows by heart."""
    world.receive([report(study(patient()))])
    with world.signed_in("secretaire"):  # files it; no carer has opened it yet
        filing = world.practice.filing("secretariat")
        (identity,) = (filing.book.get(each) for each in filing.book)
    (arrived,) = world.house.store.find(Envelope)
    key, now = new_key(), circles.current(world.house.store)
    assert arrived.patient is not None
    rows: list[Row]
    if known:
        kind, subject, reader = (
            WrapKind.PATIENT_IDENTITY,
            f"patient:{arrived.patient}",
            "secretariat",
        )
        context = contexts.identity_record(world.house.vault, arrived.patient)
        record = seal_value(identity.encode(), key, context)
        rows = [Patient(arrived.patient, record, world.house.clock.now())]
    else:
        compartment = new_id()
        kind, subject, reader = WrapKind.PATIENT_CLINICAL, f"compartment:{compartment}", "care"
        rows = [Compartment(compartment, arrived.patient, "care")]
    wrapper = Wrapper(world.house.vault, kind, subject, key)
    write(world, [*rows, *wrapper.to_circles([now[reader], now["recovery"]])])
    world.receive([report(study(patient(), 2))])
    with world.signed_in("docteur"):
        world.practice.tidy()
    kinds = (WrapKind.ENVELOPE_SEED, WrapKind.ENVELOPE_IDENTITY)
    under = [w for each in kinds for w in world.house.store.find(Wrap, kind=each)]
    assert not [
        w for w in under if w.recipient == subject and w.subject != f"envelope:{arrived.id}"
    ]
    assert not world.house.store.find(Wrap, kind=WrapKind.ENVELOPE_SEED, recipient=subject)


@pytest.mark.parametrize("name", ["care", "secretariat"])
def test_a_deleted_circle_is_no_fault_of_serment(open_practice: World, name: str) -> None:
    world = open_practice
    write(world, [], delete=[circles.current(world.house.store)[name]])
    world.practice.refresh()
    before = _held(world)
    for table in world.practice.tables.values():
        table.outdated = None  # as after a new circle
    world.practice.tidy()
    assert _held(world) == before


def _after_a_removal(world: World) -> tuple[opening.Session, opening.Session]:
    """A second doctor was removed; a doctor has made the new epochs, a secretary signs in last."""
    world.add("remplacant", Role.DOCTOR, by="admin")
    with world.signed_in("docteur") as session:
        members.admit(world.house, session.member, session.ring, "remplacant")
    with world.signed_in("admin") as session:
        removed = members.remove(world.house, session.member, "remplacant")
    world.practice.end_member(removed.id)
    return world.open("docteur"), world.open("secretaire")


def test_who_signs_in_later_and_cannot_tell_stops_nobody_else(world: World) -> None:
    """A secretary holds nothing that vouches for the carers' next epoch: theirs is their matter."""
    doctor, _ = _after_a_removal(world)
    assert circles.current(world.house.store)["care"].epoch == 2
    world.receive([report(study(patient()))])
    world.practice.refresh()
    world.practice.tidy()
    (envelope,) = world.house.store.find(Envelope)
    assert envelope.patient is not None
    assert envelope.compartment is not None  # its key was moved, so the doctor's session settles
    tables = world.practice.tables.values()
    assert all(table.outdated == [] for table in tables if doctor.holds(table.circle))


def test_what_a_session_believes_again_is_journalled_as_its_own(world: World) -> None:
    secretary = world.open("secretaire")
    doctor, _ = _after_a_removal(world)
    pinned = [
        (entry.actor, entry.details["session"])
        for row in world.house.store.journal()
        if (entry := entry_of(row)) is not None and entry.kind is EventKind.KEYS_PINNED
    ]
    owner = {doctor.member.id: doctor.id, secretary.member.id: secretary.id}
    ours = [(actor, session) for actor, session in pinned if session in owner.values()]
    assert ours
    assert all(owner[actor] == session for actor, session in ours)
