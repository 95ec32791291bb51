"""Filing by a person, undoing it, and documents handed over through the receiver."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import date

import pytest
from tests.practices import patient, report, study
from tests.unit.web_practice.pages import Pages

from serment.core.dicom.fictional.reports import one_page_pdf
from serment.core.journal.entries import EventKind
from serment.core.journal.log import entry_of
from serment.core.records.vault import Envelope, EnvelopeKind, Patient
from serment.entrypoints.intake.server import IntakeServer
from serment.entrypoints.web.views import Agreement, StudyQuery
from serment.errors import AccessDenied, Conflict, FormatError, NotFound, Unavailable

PDF = one_page_pdf(["Courrier fictif"])


def slipped(pages: Pages) -> None:
    """A patient, and an arrival of his with another birth date."""
    pages.world.receive([report(study(patient(), 1))])
    with pages.world.signed_in("docteur"):
        pass
    pages.world.receive([report(study(patient(birth_date="19570402"), 2, "20260107"))])


@pytest.fixture
def receiving(pages: Pages) -> Iterator[Pages]:
    """The same with a receiver behind the socket."""
    server = IntakeServer(pages.world.receiver())
    server.start(pages.socket)
    yield pages
    server.stop()


def test_a_person_sees_what_differs_and_decides(pages: Pages) -> None:
    slipped(pages)
    session = pages.sign_in("secretaire")
    view = pages.web.to_file(session)
    (arrival,) = view.arrivals
    (candidate,) = arrival.candidates
    assert (arrival.who.name, arrival.who.birth_date) == ("LEFÈVRE Hélène", date(1957, 4, 2))
    assert (arrival.kind, arrival.circle, arrival.modalities) == (
        EnvelopeKind.REPORT,
        "care",
        ("SR",),
    )
    assert candidate.who.birth_date == date(1957, 4, 1)
    assert candidate.studies == 1
    assert dict(candidate.agreement) == {
        "identifiers": Agreement.SAME,
        "birth_date": Agreement.DIFFERENT,
        "sex": Agreement.SAME,
        "name": Agreement.SAME,
    }
    (by_itself,) = view.filed
    assert by_itself.by == ""
    assert pages.web.file(session, arrival.envelope, candidate.patient) == candidate.patient
    assert pages.web.to_file(session).arrivals == ()
    assert [line.by for line in pages.web.to_file(session).filed] == ["secretaire", ""]
    with pytest.raises(Conflict):
        pages.web.file(session, arrival.envelope, None)


def test_a_new_patient_and_undoing(pages: Pages) -> None:
    slipped(pages)
    session = pages.sign_in("docteur")
    (arrival,) = pages.web.to_file(session).arrivals
    made = pages.web.file(session, arrival.envelope, None)
    assert pages.world.house.store.count(Patient) == 2
    assert pages.web.patient(session, made).timeline[0].key
    pages.web.unfile(session, arrival.envelope)
    view = pages.web.to_file(session)
    assert [each.envelope for each in view.arrivals] == [arrival.envelope]
    assert arrival.envelope not in [line.envelope for line in view.filed]
    with pytest.raises(Conflict):
        pages.web.unfile(session, arrival.envelope)


@pytest.mark.parametrize("who", ["dpo", "admin"])
def test_who_cannot_file(pages: Pages, who: str) -> None:
    slipped(pages)
    session = pages.sign_in(who)
    (envelope,) = pages.world.house.store.find(Envelope, patient=None)
    for call in (
        lambda: pages.web.to_file(session),
        lambda: pages.web.file(session, envelope.id, None),
        lambda: pages.web.unfile(session, envelope.id),
    ):
        with pytest.raises(AccessDenied):
            call()


# Documents


async def pieces(data: bytes, size: int = 100) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


def upload(pages: Pages, session: str, patient_id: str, data: bytes = PDF) -> str:
    return asyncio.run(pages.web.upload(session, patient_id, "Lettre fictive", pieces(data)))


def known_patient(pages: Pages) -> str:
    pages.world.receive([report(study(patient(), 1))])
    with pages.world.signed_in("docteur"):
        pass
    return pages.world.house.store.find(Patient)[0].id


def test_a_secretary_seals_a_letter_that_she_cannot_read(receiving: Pages) -> None:
    patient_id = known_patient(receiving)
    secretary, doctor = receiving.sign_in("secretaire"), receiving.sign_in("docteur")
    object_id = upload(receiving, secretary, patient_id)
    newest = receiving.web.patient(doctor, patient_id).timeline[0]
    assert (newest.kind, newest.ref, newest.title, newest.source) == (
        EnvelopeKind.DOCUMENT,
        object_id,
        "Lettre fictive",
        "secretaire",
    )
    line = receiving.web.worklist(doctor, StudyQuery(modality="DOC")).studies[0]
    assert (line.description, line.device, line.images) == ("Lettre fictive", "secretaire", 0)
    found = receiving.web.document(doctor, object_id)
    assert b"".join(found.chunks) == PDF
    hers = receiving.web.patient(secretary, patient_id).timeline[0]
    assert (hers.key, hers.title) == (False, "")
    with pytest.raises(AccessDenied):
        receiving.web.document(secretary, object_id)
    came = [
        entry
        for entry in map(entry_of, receiving.world.house.store.journal())
        if entry and entry.kind is EventKind.RECEPTION_CLOSED and entry.details["source"] == "web"
    ]
    assert [entry.actor for entry in came] == [
        receiving.world.practice.session(secretary).member.id
    ]


def test_the_letter_goes_to_the_circle_of_who_brought_it(receiving: Pages) -> None:
    patient_id = known_patient(receiving)
    surgeon = receiving.sign_in("chirurgien")
    object_id = upload(receiving, surgeon, patient_id)
    assert receiving.web.document(surgeon, object_id).size == len(PDF)
    with pytest.raises(AccessDenied):
        receiving.web.document(receiving.sign_in("docteur"), object_id)


def test_what_is_refused(receiving: Pages) -> None:
    patient_id = known_patient(receiving)
    secretary = receiving.sign_in("secretaire")
    before = receiving.world.house.store.count(Envelope)
    with pytest.raises(FormatError, match="not a PDF"):
        upload(receiving, secretary, patient_id, b"GIF89a" * 50)
    with pytest.raises(NotFound):
        upload(receiving, secretary, "0" * 32)
    for who in ("dpo", "admin"):
        with pytest.raises(AccessDenied):
            upload(receiving, receiving.sign_in(who), patient_id)
    assert receiving.world.house.store.count(Envelope) == before


def test_without_a_receiver(pages: Pages) -> None:
    patient_id = known_patient(pages)
    with pytest.raises(Unavailable, match="receiver is not running"):
        upload(pages, pages.sign_in("secretaire"), patient_id)
