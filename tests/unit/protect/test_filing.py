"""Filing: by itself on full agreement, otherwise a person; undone; two at once make one patient."""

from __future__ import annotations

import threading
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread
from tests.practices import PASSWORD, World, disk_world, memory_world, patient, report, study

from serment.app import circles
from serment.app.keyring import Keyring
from serment.app.protect import believing, members
from serment.app.protect.filing import Filing
from serment.app.protect.tables import CircleTable
from serment.core.journal.entries import Entry, EventKind
from serment.core.journal.log import entry_of
from serment.core.records.vault import Compartment, Envelope, Patient, Role, Wrap, WrapKind
from serment.errors import AccessDenied, Conflict, NotFound


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


def _arrives(world: World, device: str, number: int, birth_date: str = "19570401") -> str:
    """A study of the same person from a device that names no issuer; its envelope."""
    given = dcmread(BytesIO(report(study(patient(1, birth_date=birth_date), number))))
    for keyword in ("IssuerOfPatientID", "OtherPatientIDsSequence"):
        delattr(given, keyword)
    given.save_as(data := BytesIO())
    world.receive([data.getvalue()], device=device)
    return world.house.store.find(Envelope)[-1].id


def _patient_of(world: World, envelope: str) -> str | None:
    row = world.house.store.get(Envelope, envelope)
    assert row is not None
    return row.patient


def test_what_a_person_decided_once_is_not_asked_again(world: World) -> None:
    """The second device has numbers of its own: a person says once whose they are."""
    _arrives(world, "device-1", 1)
    other = _arrives(world, "device-2", 2)
    with world.signed_in("secretaire") as session:
        filing = world.practice.filing(circles.SECRETARIAT)
        assert [one.row.envelope for one in filing.waiting()] == [other]
        (known,) = world.house.store.find(Patient)
        filing.file(session.member.id, other, known.id)
    third = _arrives(world, "device-2", 3)
    fourth = _arrives(world, "device-1", 4)
    with world.signed_in("docteur"):
        assert _patient_of(world, third) == _patient_of(world, fourth) == known.id
        record = world.practice.filing(circles.SECRETARIAT).identity(known.id)
        assert {i.device for i in record.identifiers} == {"device-1", "device-2"}
    entries = [entry_of(row) for row in world.house.store.journal()]
    learnt = [e.details.get("learnt") for e in entries if e and e.kind is EventKind.FILED]
    assert learnt == [None, [known.id], None]  # what says nothing new is not written


def test_everybody_who_knows_the_patient_sees_what_was_learnt(world: World) -> None:
    _arrives(world, "device-1", 1)
    other = _arrives(world, "device-2", 2)
    with world.signed_in("dpo"), world.signed_in("docteur") as session:
        (known,) = world.house.store.find(Patient)
        books = [world.practice.filing(c).book for c in (circles.DPO, circles.SECRETARIAT)]
        world.practice.filing(circles.SECRETARIAT).file(session.member.id, other, known.id)
        world.practice.refresh()
        assert [len(b.get(known.id).identifiers) for b in books] == [2, 2]


def test_undoing_a_filing_takes_back_what_it_taught(world: World) -> None:
    first = _arrives(world, "device-1", 1)
    wrong = _arrives(world, "device-2", 2)
    with world.signed_in("docteur") as session:
        filing = world.practice.filing(circles.SECRETARIAT)
        known = _patient_of(world, first)
        assert known is not None
        filing.file(session.member.id, wrong, known)
        filing.unfile(session.member.id, wrong)
        assert [i.device for i in filing.identity(known).identifiers] == ["device-1"]
        filing.unfile(session.member.id, first)  # nothing else is known of him: it stays
        assert [i.device for i in filing.identity(known).identifiers] == ["device-1"]


def test_a_filing_that_fails_teaches_nothing(world: World) -> None:
    _arrives(world, "device-1", 1)
    other = _arrives(world, "device-2", 2)
    with world.signed_in("docteur") as session:
        filing = world.practice.filing(circles.SECRETARIAT)
        (known,) = world.house.store.find(Patient)
        for wrap in _wraps(world, WrapKind.ENVELOPE_IDENTITY, other):
            _delete(world, wrap)
        with pytest.raises((AccessDenied, NotFound)):
            filing.file(session.member.id, other, known.id)
        assert len(filing.book.get(known.id).identifiers) == 1
        with pytest.raises(NotFound):
            filing.file(session.member.id, other, "0" * 32)
        assert world.house.store.find(Patient) == [known]


def _delete(world: World, wrap: Wrap) -> None:
    entry = Entry(EventKind.REPAIRED, world.house.clock.now(), "test")
    with world.house.store.change(entry) as tx:
        tx.delete(wrap)


def test_the_secretary_files_the_name_and_the_seed_stays_for_the_doctor(world: World) -> None:
    world.receive([report(study(patient()))])
    with world.signed_in("secretaire"):
        (envelope,) = world.house.store.find(Envelope)
        assert envelope.patient is not None
        assert envelope.compartment is None
        assert not world.house.store.find(Compartment)
        recipients = {w.recipient for w in _wraps(world, WrapKind.ENVELOPE_SEED, envelope.id)}
        assert recipients == {"circle:care", "recovery"}
    with world.signed_in("docteur"):
        (envelope,) = world.house.store.find(Envelope)
        recipients = {w.recipient for w in _wraps(world, WrapKind.ENVELOPE_SEED, envelope.id)}
        assert recipients == {f"compartment:{envelope.compartment}"}


def _wraps(world: World, kind: WrapKind, envelope: str) -> list[Wrap]:
    return world.house.store.find(Wrap, kind=kind, subject=f"envelope:{envelope}")


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
        recipients = {w.recipient for w in _wraps(world, WrapKind.ENVELOPE_SEED, undone.id)}
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
    believing.look(world.house, member, seed, ring)
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
