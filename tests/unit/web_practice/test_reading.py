"""What each member reads through the pages: lists, studies, pictures, reports, documents."""

from __future__ import annotations

from datetime import date, time

import pytest
from tests.practices import patient, report, study
from tests.unit.web_practice.conftest import Reading
from tests.unit.web_practice.pages import CT_TITLE, SENTENCE, US_TITLE, Pages, full_study

from serment.core.journal.entries import Entry, EventKind
from serment.core.journal.log import entry_of
from serment.core.records.vault import Envelope, EnvelopeKind
from serment.entrypoints.web.practice import log
from serment.entrypoints.web.views import JournalQuery, StudyQuery
from serment.errors import AccessDenied

NO_CARE = ("secretaire", "dpo", "admin")


def line(reading: Reading, who: str, ref: str = "full"):
    found = reading.web.worklist(reading.sessions[who], StudyQuery()).studies
    return next(each for each in found if each.ref == reading.refs[ref])


def reads(reading: Reading) -> list[Entry]:
    entries = map(entry_of, reading.pages.world.house.store.journal())
    return [entry for entry in entries if entry and entry.kind is EventKind.READ]


def is_journalled(reading: Reading, kind: str, object_id: str) -> bool:
    named = [e for e in reads(reading) if e.details["kind"] == kind]
    about = [e for e in named if object_id in e.details["objects"]]
    return bool(about) and all(e.details["patient"] for e in about)


# The worklist


def test_the_doctor_sees_what_a_study_holds(reading: Reading) -> None:
    found = line(reading, "docteur")
    assert found.who.name == "LEFÈVRE Hélène"
    assert found.who.birth_date == date(1957, 4, 1)
    assert found.who.sex == "F"
    assert (found.date, found.time) == (date(2026, 1, 4), time(10, 15))
    assert found.key
    assert found.patient
    assert found.description == "Compte rendu fictif"
    assert (found.series, found.images) == (4, 3)
    assert found.thumbnail in reading.objects
    assert set(found.modalities) == {"CT", "US", "SR", "DOC"}


@pytest.mark.parametrize("who", ["secretaire", "dpo", "chirurgien"])
def test_without_the_clinical_key_nothing_clinical(reading: Reading, who: str) -> None:
    found = line(reading, who)
    assert found.who.name == "LEFÈVRE Hélène"
    assert not found.key
    assert (found.description, found.series, found.images, found.thumbnail) == (
        "",
        None,
        None,
        None,
    )


def test_an_administrator_knows_no_name(reading: Reading) -> None:
    with pytest.raises(AccessDenied):
        reading.web.worklist(reading.sessions["admin"], StudyQuery())


def test_each_circle_has_its_own_key(reading: Reading) -> None:
    assert line(reading, "chirurgien", "surgery").key
    assert not line(reading, "docteur", "surgery").key


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (StudyQuery(name="lefevre"), 3),
        (StudyQuery(name="lefevre helene"), 3),
        (StudyQuery(name="Helene"), 0),
        (StudyQuery(name="*hélène"), 3),
        (StudyQuery(name="dupont"), 0),
        (StudyQuery(identifier="fictif0001"), 3),
        (StudyQuery(identifier="FICTIF*"), 3),
        (StudyQuery(birth_date=date(1957, 4, 2)), 1),
        (StudyQuery(date_from=date(2026, 1, 5)), 2),
        (StudyQuery(date_from=date(2026, 1, 4), date_to=date(2026, 1, 4)), 1),
        (StudyQuery(modality="ct"), 1),
        (StudyQuery(modality="MR"), 0),
        (StudyQuery(accession="ACCFICTIF0001002"), 1),
        (StudyQuery(to_file=True), 1),
        (StudyQuery(to_file=True, modality="CT"), 0),
    ],
)
def test_searches(reading: Reading, query: StudyQuery, found: int) -> None:
    view = reading.web.worklist(reading.sessions["secretaire"], query)
    assert (len(view.studies), view.total) == (found, found)


def test_the_filter_lists_the_modalities_there_are(reading: Reading) -> None:
    view = reading.web.worklist(reading.sessions["docteur"], StudyQuery(name="nobody"))
    assert set(view.modalities) == {"CT", "US", "SR", "DOC"}


def test_a_page_beyond_the_last_is_the_last(reading: Reading) -> None:
    view = reading.web.worklist(reading.sessions["docteur"], StudyQuery(page=9))
    assert (view.page, view.pages, len(view.studies)) == (1, 1, 3)


# One study


def test_the_viewer_gets_the_series_in_order(reading: Reading) -> None:
    found = reading.web.study(reading.sessions["docteur"], reading.refs["full"])
    assert found.key
    assert [(s.modality, s.kind, len(s.images)) for s in found.series] == [
        ("CT", EnvelopeKind.IMAGE, 2),
        ("US", EnvelopeKind.IMAGE, 1),
        ("SR", EnvelopeKind.REPORT, 1),
        ("DOC", EnvelopeKind.DOCUMENT, 1),
    ]
    assert [s.description for s in found.series][:2] == [CT_TITLE, US_TITLE]
    ct, us = found.series[0].images[0], found.series[1].images[0]
    assert (ct.rows, ct.columns, ct.frames) == (512, 512, 1)
    assert ct.window is not None
    assert us.frames == 3
    assert tuple(image.object for s in found.series for image in s.images) == reading.objects
    assert "image headers" not in found.description
    assert {e.details["kind"] for e in reads(reading)} >= {"metadata"}


@pytest.mark.parametrize("who", ["secretaire", "dpo", "chirurgien"])
def test_the_viewer_without_the_key_says_whose_it_is(reading: Reading, who: str) -> None:
    found = reading.web.study(reading.sessions[who], reading.refs["full"])
    assert not found.key
    assert found.series == ()
    assert found.description == ""
    assert found.holders == ("care",)
    assert found.who.name == "LEFÈVRE Hélène"


@pytest.mark.parametrize("ref", ["0" * 32, "full object"])
def test_a_study_that_is_none_looks_like_one_that_is_denied(reading: Reading, ref: str) -> None:
    ref = reading.objects[0] if ref == "full object" else ref
    with pytest.raises(AccessDenied, match="no key of yours opens this"):
        reading.web.study(reading.sessions["docteur"], ref)


# Pictures


def test_the_doctor_gets_pictures_and_the_journal_names_them_first(reading: Reading) -> None:
    session, objects = reading.sessions["docteur"], reading.objects
    thumbnail = reading.web.thumbnail(session, objects[0])
    assert thumbnail.media_type == "image/jpeg"
    assert thumbnail.data.startswith(b"\xff\xd8\xff")
    frame = reading.web.frame(session, objects[2], 3, None, None)
    assert frame.media_type == "image/png"
    assert frame.data.startswith(b"\x89PNG")
    assert is_journalled(reading, "thumbnail", objects[0])
    assert is_journalled(reading, "image", objects[2])


def test_a_series_is_named_at_its_first_picture(reading: Reading) -> None:
    session = reading.pages.sign_in("docteur")
    reading.web.frame(session, reading.objects[0], 1, (40.0, 400.0), 256)
    entries = [e for e in reads(reading) if e.details["kind"] == "image"]
    assert set(entries[-1].details["objects"]) == set(reading.objects[:2])
    before = len(reads(reading))
    reading.web.frame(session, reading.objects[1], 1, (40.0, 400.0), 256)
    assert len(reads(reading)) == before
    reading.web.lock(session)


def test_windows_and_sizes_make_different_pictures(reading: Reading) -> None:
    session, ct = reading.sessions["docteur"], reading.objects[0]
    pictures = {
        reading.web.frame(session, ct, 1, window, size).data
        for window, size in ((None, None), ((-600.0, 1500.0), None), (None, 128))
    }
    assert len(pictures) == 3


@pytest.mark.parametrize("who", [*NO_CARE, "chirurgien"])
@pytest.mark.parametrize("act", ["thumbnail", "frame", "report", "document"])
def test_no_key_no_content(reading: Reading, who: str, act: str) -> None:
    session = reading.sessions[who]
    calls = {
        "thumbnail": lambda o: reading.web.thumbnail(session, o),
        "frame": lambda o: reading.web.frame(session, o, 1, None, None),
        "report": lambda o: reading.web.report(session, o),
        "document": lambda o: reading.web.document(session, o),
    }
    rendered, read = reading.pages.decoder.rendered, len(reads(reading))
    for object_id in reading.objects:
        with pytest.raises(AccessDenied):
            calls[act](object_id)
    assert (reading.pages.decoder.rendered, len(reads(reading))) == (rendered, read)


def test_refusals_are_counted_for_each_member_and_minute(pages: Pages) -> None:
    (ct, *_) = pages.world.receive(full_study(study(patient()))[:1])
    secretary = pages.sign_in("secretaire")
    for _ in range(3):
        with pytest.raises(AccessDenied):
            pages.web.thumbnail(secretary, ct.object_id)
    with pytest.raises(AccessDenied):
        pages.web.declare_kit(secretary)
    pages.web.flush()
    assert not refusals(pages)  # the minute goes on
    pages.world.house.clock.advance(60)
    pages.web.flush()
    (entry,) = refusals(pages)
    session = pages.world.practice.session(secretary)
    assert entry.actor == session.member.id
    assert (entry.details["count"], entry.details["peer"]) == (4, "127.0.0.1")
    assert entry.details["reasons"] == {
        "no key of this session opens it": 3,
        "this session may not change the settings": 1,
    }
    (line,) = pages.web.journal(secretary, JournalQuery(kinds=(EventKind.REFUSED,))).lines
    assert (line.actor, line.values["count"]) == ("secretaire", 4)
    assert line.values["reason"] == "no key of this session opens it"


def refusals(pages: Pages) -> list[Entry]:
    entries = map(entry_of, pages.world.house.store.journal())
    return [entry for entry in entries if entry and entry.kind is EventKind.REFUSED]


def test_a_picture_kept_for_one_doctor_is_journalled_for_the_next(reading: Reading) -> None:
    first = reading.web.thumbnail(reading.sessions["docteur"], reading.objects[1])
    other = reading.pages.sign_in("docteur")
    rendered = reading.pages.decoder.rendered
    assert reading.web.thumbnail(other, reading.objects[1]).data is first.data
    assert reading.pages.decoder.rendered == rendered
    session_id = reading.pages.world.practice.session(other).id
    last = reads(reading)[-1]
    assert (last.details["session"], last.details["objects"]) == (session_id, [reading.objects[1]])
    reading.web.lock(other)


def test_a_report_is_no_picture(reading: Reading) -> None:
    with pytest.raises(AccessDenied):
        reading.web.frame(reading.sessions["docteur"], reading.objects[3], 1, None, None)


# Reports and documents


def test_a_report_reads_as_lines(reading: Reading) -> None:
    found = reading.web.report(reading.sessions["docteur"], reading.objects[3])
    assert found.title == "Compte rendu d'imagerie"
    assert SENTENCE in [each.value for each in found.lines]
    assert is_journalled(reading, "report", reading.objects[3])


def test_a_letter_streams_out_of_its_object(reading: Reading) -> None:
    found = reading.web.document(reading.sessions["docteur"], reading.objects[4])
    data = b"".join(found.chunks)
    assert len(data) == found.size
    assert data.startswith(b"%PDF-")
    assert data.endswith(b"%%EOF\n")
    assert is_journalled(reading, "document", reading.objects[4])


# Patients


@pytest.mark.parametrize(
    ("text", "found"),
    [("", 1), ("lef", 1), ("HELENE", 1), ("*ne", 1), ("FICTIF 0001", 1), ("elene", 0), ("xyz", 0)],
)
def test_patients_are_found_by_name_and_identifier(reading: Reading, text: str, found: int) -> None:
    view = reading.web.patients(reading.sessions["secretaire"], text, 1)
    assert (view.total, len(view.patients)) == (found, found)
    for each in view.patients:
        assert (each.who.name, each.studies, each.last) == (
            "LEFÈVRE Hélène",
            2,
            date(2026, 1, 5),
        )


def test_the_file_of_a_patient(reading: Reading) -> None:
    patient_id = line(reading, "docteur").patient
    view = reading.web.patient(reading.sessions["docteur"], patient_id)
    assert view.who.name == "LEFÈVRE Hélène"
    assert [(item.ref, item.key) for item in view.timeline] == [
        (reading.refs["surgery"], False),
        (reading.refs["full"], True),
    ]
    assert view.timeline[1].images == 3
    assert view.timeline[0].title == ""
    assert view.key
    assert view.may_upload
    assert view.circles == ("care", "chirurgie")
    assert is_journalled(reading, "identity", patient_id)


def test_who_opened_this_file(reading: Reading) -> None:
    patient_id = line(reading, "docteur").patient
    reading.web.thumbnail(reading.sessions["docteur"], reading.objects[0])
    reading.web.patient(reading.sessions["secretaire"], patient_id)
    for who in ("docteur", "chirurgien", "dpo"):
        view = reading.web.patient(reading.sessions[who], patient_id)
        known = {(each.login, each.what) for each in view.readers}
        assert {("docteur", "thumbnail"), ("secretaire", "identity")} <= known
    assert reading.web.patient(reading.sessions["secretaire"], patient_id).readers is None


def test_who_opened_an_arrival_before_it_was_filed(pages: Pages) -> None:
    (receipt,) = pages.world.receive([report(study(patient(birth_date="")))])
    session, secretary = pages.sign_in("docteur"), pages.sign_in("secretaire")
    pages.web.report(session, receipt.object_id)
    (envelope,) = pages.world.house.store.find(Envelope)
    assert envelope.patient is None
    patient_id = pages.web.file(secretary, envelope.id, None)
    found = pages.web.patient(pages.sign_in("dpo"), patient_id).readers
    assert ("docteur", "report") in {(each.login, each.what) for each in found}


def test_the_page_says_how_far_back_it_looked(
    reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, patient_id = reading.sessions["docteur"], line(reading, "docteur").patient
    assert reading.web.patient(session, patient_id).all_readers
    monkeypatch.setattr(log, "FAR_BACK", 3)
    assert not reading.web.patient(session, patient_id).all_readers


def test_headers_are_not_told_apart_from_the_images_they_head(reading: Reading) -> None:
    session, patient_id = reading.sessions["docteur"], line(reading, "docteur").patient
    reading.web.study(session, reading.refs["full"])
    reading.web.frame(session, reading.objects[0], 1, None, 64)
    kinds = {r.what for r in reading.web.patient(session, patient_id).readers}
    assert "image" in kinds
    assert "metadata" not in kinds


def test_a_patient_nobody_knows(reading: Reading) -> None:
    with pytest.raises(AccessDenied):
        reading.web.patient(reading.sessions["docteur"], "0" * 32)
    with pytest.raises(AccessDenied):
        reading.web.patient(reading.sessions["admin"], line(reading, "docteur").patient)
    with pytest.raises(AccessDenied):
        reading.web.patients(reading.sessions["admin"], "", 1)


# The secretary, by every method


def test_the_dpo_cannot_attach_and_cannot_file(reading: Reading) -> None:
    patient_id = line(reading, "dpo").patient
    view = reading.web.patient(reading.sessions["dpo"], patient_id)
    assert not view.may_upload
    with pytest.raises(AccessDenied):
        reading.web.to_file(reading.sessions["dpo"])
