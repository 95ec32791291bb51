"""The journal as a page: whose acts, of which day, with which names."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.practices import patient, report, study
from tests.unit.web_practice.pages import Pages

from serment.app.watch.checkpoints import Checkpoints
from serment.core.journal.entries import Entry, EventKind
from serment.core.records.vault import Patient
from serment.entrypoints.desk.request import Request
from serment.entrypoints.desk.table import answer
from serment.entrypoints.web.practice import log
from serment.entrypoints.web.views import JournalLine, JournalQuery, NewDevice, StudyQuery
from serment.errors import AccessDenied, FormatError, NotFound


def lines(pages: Pages, session: str, **query: object) -> tuple[JournalLine, ...]:
    return pages.web.journal(session, JournalQuery(**query)).lines


def kinds(found: tuple[JournalLine, ...]) -> set[EventKind | None]:
    return {line.kind for line in found}


def opened(pages: Pages) -> tuple[str, str]:
    """A doctor who has opened a patient's file; his session and the patient's id."""
    pages.world.receive([report(study(patient()))])
    session = pages.sign_in("docteur")
    (row,) = pages.world.house.store.find(Patient)
    pages.web.patient(session, row.id)
    return session, row.id


def test_watchers_see_all_and_others_their_own_acts(pages: Pages) -> None:
    doctor, _ = opened(pages)
    admin, dpo = pages.sign_in("admin"), pages.sign_in("dpo")
    for watcher in (admin, dpo):
        view = pages.web.journal(watcher, JournalQuery())
        assert not view.own
        assert {line.actor for line in view.lines} >= {"admin", "docteur", "dpo"}
        assert view.total == len(view.lines) == view.size
        assert [login for _, login in view.members] == sorted(
            ["admin", "chirurgien", "docteur", "dpo", "secretaire"]
        )
    mine = pages.web.journal(doctor, JournalQuery())
    assert mine.own
    assert {line.actor for line in mine.lines} == {"docteur"}
    assert [login for _, login in mine.members] == ["docteur"]


def test_names_only_for_those_whose_keys_name_him(pages: Pages) -> None:
    _, patient_id = opened(pages)
    read = (EventKind.READ,)
    (with_key,) = lines(pages, pages.sign_in("dpo"), kinds=read)
    assert (with_key.subject, with_key.patient) == ("LEFÈVRE Hélène", patient_id)
    assert (with_key.values["what"], with_key.actor, with_key.tls) == ("identity", "docteur", True)
    assert with_key.peer == "127.0.0.1:50000"
    (without,) = lines(pages, pages.sign_in("admin"), kinds=read)
    assert (without.subject, without.patient) == (f"patient {patient_id[:6]}", None)


def test_an_arrival_that_waits_reads_by_its_own_name(pages: Pages) -> None:
    pages.world.receive([report(study(patient()))])
    with pages.world.signed_in("docteur"):
        pass
    pages.world.receive([report(study(patient(birth_date="19570402"), 2))])
    doctor = pages.sign_in("docteur")
    ref = next(s.ref for s in pages.web.worklist(doctor, StudyQuery(to_file=True)).studies)
    pages.web.study(doctor, ref)
    (read,) = lines(pages, doctor, kinds=(EventKind.READ,))
    assert (read.subject, read.patient, read.values["what"]) == ("LEFÈVRE Hélène", None, "metadata")
    (read,) = lines(pages, pages.sign_in("admin"), kinds=(EventKind.READ,))
    assert read.subject == f"#{ref[:6]}"


def test_a_carer_reads_who_opened_one_file_and_the_secretary_does_not(pages: Pages) -> None:
    doctor, patient_id = opened(pages)
    pages.web.patient(pages.sign_in("secretaire"), patient_id)
    view = pages.web.journal(doctor, JournalQuery(patient=patient_id))
    assert not view.own
    assert view.about == "LEFÈVRE Hélène"
    assert {line.actor for line in view.lines} >= {"docteur", "secretaire"}
    assert {EventKind.READ, EventKind.FILED, EventKind.RECEPTION_OPENED} <= kinds(view.lines)
    hers = pages.web.journal(pages.sign_in("secretaire"), JournalQuery(patient=patient_id))
    assert hers.own
    assert {line.actor for line in hers.lines} == {"secretaire"}


def test_filters(pages: Pages) -> None:
    doctor, _ = opened(pages)
    admin = pages.sign_in("admin")
    pages.web.add_device(admin, NewDevice("Scanner", "CT1", "192.0.2.5", "care"))
    (added,) = lines(pages, admin, kinds=(EventKind.DEVICE_ADDED,))
    assert (added.actor, added.subject) == ("admin", "Scanner")
    member = pages.world.practice.session(doctor).member.id
    theirs = lines(pages, admin, member=member)
    assert {line.actor for line in theirs} <= {"docteur", "admin"}
    assert EventKind.MEMBER_ADDED in kinds(theirs)  # what was done to him belongs to it


def test_days_and_hours_are_those_of_this_machine(pages: Pages) -> None:
    clock = pages.world.house.clock
    first = clock.now().astimezone()
    pages.sign_in("admin")
    clock.advance(24 * 3600)
    session = pages.sign_in("admin")
    today = pages.web.journal(session, JournalQuery())
    assert today.day == (first + timedelta(days=1)).date()
    assert sum(today.hours) == today.total == len(today.lines)
    assert today.hours[clock.now().astimezone().hour] == today.total
    before = pages.web.journal(session, JournalQuery(day=first.date()))
    assert before.total + today.total == today.size
    assert before.lines[0].index == before.total - 1
    empty = pages.web.journal(session, JournalQuery(day=(first + timedelta(days=9)).date()))
    assert (empty.lines, empty.total, empty.pages) == ((), 0, 1)


def test_pages_of_a_long_day(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serment.entrypoints.web.practice.journal.PAGE", 4)
    session = pages.sign_in("admin")
    whole = [
        line.index
        for page in (1, 2, 3, 4, 5, 6, 7, 8)
        for line in pages.web.journal(session, JournalQuery(page=page)).lines
    ]
    view = pages.web.journal(session, JournalQuery(page=99))
    assert view.page == view.pages == -(-view.size // 4)
    assert whole[: view.size] == list(range(view.size))[::-1]


def test_the_log_is_looked_through_backwards_and_not_for_ever(pages: Pages) -> None:
    store = pages.world.house.store
    indices = [each.index for each in log.newest_first(store)]
    assert indices == list(range(store.journal_size()))[::-1]
    assert [each.index for each in log.newest_first(store, limit=3)] == indices[:3]
    assert [e.index for e in log.newest_first(store, b'"vault-founded"')] == [0]
    assert log.first_at(store, pages.world.house.clock.now()) == 0
    assert log.first_at(store, pages.world.house.clock.now() + timedelta(1)) == len(indices)


@pytest.mark.parametrize("body", [b"x", b'{"at":"then"}'])
def test_an_entry_that_cannot_be_read_hides_no_other(pages: Pages, body: bytes) -> None:
    house, admin = pages.world.house, pages.sign_in("admin")
    size = house.store.journal_size()
    before = [line.index for line in lines(pages, admin)]
    for index in range(size // 3, size // 2 + 1):  # where a search by halves looks first
        house.store._log[index] = replace(house.store._log[index], body=body)
    view = pages.web.journal(admin, JournalQuery())
    kept = [index for index in before if not size // 3 <= index <= size // 2]
    assert [line.index for line in view.lines][-len(kept) :] == kept
    assert view.unreadable == size // 2 + 1 - size // 3
    assert pages.web.journal(pages.sign_in("docteur"), JournalQuery()).unreadable == 0
    listed = answer(pages.desk, Request("journal list", {"last": 10_000}))
    unread = [line["index"] for line in listed if "cannot be read" in line["message"]]
    assert unread == list(range(size // 3, size // 2 + 1))


def test_days_are_found_between_expired_entries(pages: Pages) -> None:
    store, tomorrow = pages.world.house.store, pages.world.house.clock.now() + timedelta(1)
    first = store.journal_size()
    for number in range(20):
        store.record(Entry(EventKind.READ, tomorrow, "m", {"n": number}))
    assert log.first_at(store, tomorrow) == first
    for index in range(first + 1, first + 20):
        store._log[index] = replace(store._log[index], body=None, salt=None)
    assert log.first_at(store, tomorrow) == first


def test_a_checkpoint_kept_elsewhere_is_compared(pages: Pages) -> None:
    house, session = pages.world.house, pages.sign_in("secretaire")
    with pytest.raises(NotFound):
        pages.web.checkpoint(session)
    signer = Checkpoints(
        house.store, house.clock, pages.world.founded.journal_key, house.vault, 0, founding=True
    )
    signer.sign_if_changed()
    note = pages.web.checkpoint(session)
    pasted = note.strip().replace("\n", "\r\n")  # as a form sends it
    verdict = pages.web.verify(session, pasted)
    assert (verdict.ok, verdict.kept, verdict.first_bad) == (True, True, None)
    with pytest.raises(FormatError):
        pages.web.verify(session, "anything")
    assert EventKind.CHECKPOINT_TAKEN in kinds(lines(pages, session))


def test_nobody_reads_it_without_a_session(pages: Pages) -> None:
    session = pages.sign_in("admin")
    pages.web.lock(session)
    with pytest.raises(Exception) as refused:
        pages.web.journal(session, JournalQuery())
    assert not isinstance(refused.value, AccessDenied)
