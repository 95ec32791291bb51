"""Filing: by itself on full agreement, otherwise a person; undone; two at once make one patient."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from tests.practices import PASSWORD, World, disk_world, memory_world, patient, report, study

from serment.app import circles
from serment.app.keyring import Keyring
from serment.app.protect import members
from serment.app.protect.filing import Filing
from serment.app.protect.tables import CircleTable
from serment.core.records.vault import Compartment, Envelope, Patient, Role, Wrap, WrapKind
from serment.errors import Conflict


def test_a_complete_stranger_makes_a_patient_and_the_next_study_joins_him(world: World) -> None:
    someone = patient()
    world.receive([report(study(someone, 1))])
    world.receive([report(study(someone, 2))])
    with world.signed_in("docteur"):
        rows = world.house.store.find(Envelope)
    assert len(world.house.store.find(Patient)) == 1
    assert {e.patient for e in rows} == {world.house.store.find(Patient)[0].id}
    assert all(e.compartment for e in rows)


def test_a_difference_waits_for_a_person(world: World) -> None:
    world.receive([report(study(patient(1, birth_date="19570401")))])
    with world.signed_in("docteur"):
        pass
    world.receive([report(study(patient(1, birth_date="19570402"), 2))])
    with world.signed_in("secretaire") as session:
        filing = world.practice.filing(circles.SECRETARIAT)
        (waiting,) = filing.waiting()
        (candidate,) = waiting.ask.candidates
        assert [field.value for field in candidate.differs] == ["birth_date"]
        known = world.house.store.find(Patient)[0].id
        assert filing.file(session.member.id, waiting.row.envelope, known) == known
        with pytest.raises(Conflict):
            filing.file(session.member.id, waiting.row.envelope, known)


def test_the_secretary_files_the_name_and_the_seed_stays_for_the_doctor(world: World) -> None:
    world.receive([report(study(patient()))])
    with world.signed_in("secretaire"):
        (envelope,) = world.house.store.find(Envelope)
        assert envelope.patient is not None
        assert envelope.compartment is None
        assert not world.house.store.find(Compartment)
        recipients = {w.recipient for w in _wraps(world, WrapKind.ENVELOPE_SEED, envelope)}
        assert recipients == {"circle:care", "recovery"}
    with world.signed_in("docteur"):
        (envelope,) = world.house.store.find(Envelope)
        recipients = {w.recipient for w in _wraps(world, WrapKind.ENVELOPE_SEED, envelope)}
        assert recipients == {f"compartment:{envelope.compartment}"}


def _wraps(world: World, kind: WrapKind, envelope: Envelope) -> list[Wrap]:
    return world.house.store.find(Wrap, kind=kind, subject=f"envelope:{envelope.id}")


def test_filing_is_undone_and_can_be_done_again(world: World) -> None:
    world.receive([report(study(patient()))])
    with world.signed_in("docteur") as session:
        (envelope,) = world.house.store.find(Envelope)
        filing = world.practice.filing(circles.SECRETARIAT)
        filing.unfile(session.member.id, envelope.id)
        world.practice.settle(session)
        (undone,) = world.house.store.find(Envelope)
        assert undone.patient is None
        assert undone.compartment is None
        recipients = {w.recipient for w in _wraps(world, WrapKind.ENVELOPE_SEED, undone)}
        assert recipients == {"circle:care", "recovery"}
        assert len(filing.waiting()) == 1  # automatic filing leaves a person's decision alone
        filing.file(session.member.id, envelope.id, None)
        world.practice.settle(session)
        assert len(world.house.store.find(Patient)) == 2


def test_two_care_circles_share_a_patient_and_not_their_images(world: World) -> None:
    assert world.add("chirurgien", Role.DOCTOR, care="chirurgie") == "pending"
    with world.signed_in("docteur") as session:
        members.admit(world.house, session.member, session.ring, "chirurgien")
    someone = patient()
    world.receive([report(study(someone, 1))], circle="care")
    world.receive([report(study(someone, 2))], circle="chirurgie")
    with world.signed_in("docteur"), world.signed_in("chirurgien"):
        assert len(world.house.store.find(Patient)) == 1
        assert len(world.house.store.find(Compartment)) == 2
        for circle in ("care", "chirurgie"):
            rows = world.practice.tables[circle].table.dump()[1]
            assert len(rows) == 1
            envelope = world.house.store.get(Envelope, rows[0].envelope)
            assert envelope is not None
            assert envelope.circle == circle


def test_a_dpo_who_comes_later_reads_identities_of_before(world: World) -> None:

    later = memory_world()
    later.add("docteur", Role.DOCTOR)
    later.receive([report(study(patient(1)))])
    later.receive([report(study(patient(2, sex="M"), 2))])  # same name, other person: waits
    with later.signed_in("docteur"):
        pass
    later.add("dpo", Role.DPO)
    with later.signed_in("docteur"):
        pass  # shares what was there before with the new circle
    with later.signed_in("dpo"):
        assert len(later.practice.tables["dpo"].table.dump()[0]) == 2


def test_two_sessions_filing_at_once_make_one_patient(tmp_path: Path) -> None:
    world = disk_world(tmp_path)
    world.add("docteur", Role.DOCTOR)
    someone = patient()
    for number in range(1, 9):
        world.receive([report(study(someone, number))])
    member, seed = _unlocked(world, "docteur")

    ring = members.keyring_of(world.house, member, seed)
    filings = [Filing(world.house, _table(world, ring)) for _ in range(2)]
    started = threading.Barrier(2)

    def work(filing: Filing) -> None:
        started.wait()
        filing.file_waiting(member.id)

    threads = [threading.Thread(target=work, args=(filing,)) for filing in filings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (only,) = world.house.store.find(Patient)
    assert {e.patient for e in world.house.store.find(Envelope)} == {only.id}


def _table(world: World, ring: Keyring) -> CircleTable:
    table = CircleTable(world.house, ring.only(circles.SECRETARIAT), circles.SECRETARIAT)
    table.fill()
    return table


def _unlocked(world: World, login: str):  # type: ignore[no-untyped-def]

    return members.unlock(world.house, login, PASSWORD)
