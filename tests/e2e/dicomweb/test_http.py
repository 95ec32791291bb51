"""What PS3.18 and HTTP ask of the answers: methods, media types, codings, warnings, errors."""

from __future__ import annotations

import gzip
from typing import Any
from xml.etree import ElementTree

import pytest
import requests
from tests.e2e.dicomweb.clinic import Clinic, parts_of
from tests.practices import patient, report, study

from serment.core.dicom.fictional import FictionalStudy, Place, ct_slice, pdf_document

NATIVE = "{http://dicom.nema.org/PS3.19/models/NativeDICOM}"
SCAN = study(patient(601, "ORGUEIL^Élodie"), 1)
TEXTS = study(patient(602, "ORGUEIL^Éric"), 1)
PAPER = study(patient(603, "ORGUEIL^Elsa"), 1)
SLICE = ct_slice(SCAN, Place(1, 1), 1)


def where(of: FictionalStudy, number: int = 1) -> str:
    place = Place(1, number)
    series, instance = place.series_uid(of), place.instance_uid(of)
    return f"/studies/{of.uid}/series/{series}/instances/{instance}"


IMAGE, TEXT, LETTER = where(SCAN), where(TEXTS), where(PAPER)


@pytest.fixture(scope="module")
def web(clinic: Clinic) -> Clinic:
    paper = pdf_document(PAPER, Place(1, 1), "Lettre", ["Cher confrère,"])
    clinic.store(SLICE, *(report(TEXTS, n) for n in range(1, 31)), paper)
    return clinic


# Methods


@pytest.mark.parametrize("path", [IMAGE, f"/studies/{SCAN.uid}", f"{IMAGE}/bulkdata/7FE00010"])
def test_head_says_the_size_and_sends_nothing(web: Clinic, path: str) -> None:
    session = web.session(web.doctor)
    head = session.head(web.base + path, timeout=60)
    assert head.status_code == 200
    assert head.content == b""
    got = session.get(web.base + path, timeout=60)
    assert int(head.headers["Content-Length"]) == len(got.content)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", f"/studies/{SCAN.uid}", {"GET", "HEAD", "POST"}),
        ("PUT", IMAGE, {"GET", "HEAD"}),
        ("POST", f"{IMAGE}/metadata", {"GET", "HEAD"}),
        ("PATCH", "/studies", {"GET", "HEAD", "POST"}),
    ],
)
def test_other_methods_are_refused(web: Clinic, method: str, path: str, allowed: set[str]) -> None:
    answer = web.session(web.doctor).request(method, web.base + path, timeout=60)
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == allowed
    assert answer.json()["error"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/patients", 404),
        ("/studies/2.25.404", 404),
        (f"/studies/{SCAN.uid}/series/2.25.404", 404),
        (f"/studies/{SCAN.uid}/series/2.25.404/metadata", 404),
        (f"{IMAGE}/frames/2", 404),
        (f"{IMAGE}/bulkdata/00420011", 404),
        (f"{IMAGE}/bulkdata/x", 404),
        ("/studies/not-a-uid", 400),
        ("/studies/" + "1." * 40 + "1", 400),
        (f"{IMAGE}/frames/0", 400),
        (f"{IMAGE}/frames/1,,2", 400),
        (f"{IMAGE}/frames/²", 400),
        (f"{IMAGE}/frames/" + ",".join(["1"] * 1001), 400),
        (f"{IMAGE}/rendered?viewport=0,0", 400),
        (f"{IMAGE}/rendered?viewport=99999,1", 400),
        (f"{IMAGE}/rendered?window=a,b", 400),
        (f"{IMAGE}/rendered?window=1,2,SIGMOID", 400),
        (f"{IMAGE}/frames/2/rendered", 404),
        (f"{TEXT}/frames/1", 400),
        (f"{TEXT}/rendered", 406),
        (f"{LETTER}/thumbnail", 406),
    ],
)
def test_what_is_not_there_and_what_cannot_be(web: Clinic, path: str, status: int) -> None:
    answer = web.get(path)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]


# Media types

WRONG = "1.2.840.10008.1.2.4.90"
OWN = "1.2.840.10008.1.2.1"
DICOM = 'multipart/related; type="application/dicom"'
OCTETS = "application/octet-stream"
JSON, XML = "application/dicom+json", 'multipart/related; type="application/dicom+xml"'


@pytest.mark.parametrize(
    ("path", "accept", "expected"),
    [
        (IMAGE, "", DICOM),
        (IMAGE, "*/*", DICOM),
        (IMAGE, "multipart/related", DICOM),
        (IMAGE, "multipart/*", DICOM),
        (IMAGE, DICOM, DICOM),
        (IMAGE, "multipart/related; type=application/dicom", DICOM),
        (IMAGE, f"{DICOM}; transfer-syntax=*", DICOM),
        (IMAGE, f"{DICOM}; transfer-syntax={OWN}", DICOM),
        (IMAGE, f"{DICOM}; transfer-syntax={WRONG}", None),
        (IMAGE, f"{DICOM}; transfer-syntax={WRONG}, {DICOM}; transfer-syntax={OWN}; q=0.1", DICOM),
        (IMAGE, "application/dicom", "application/dicom"),
        (IMAGE, f"application/dicom; transfer-syntax={OWN}", "application/dicom"),
        (IMAGE, f"application/dicom; transfer-syntax={WRONG}", None),
        (IMAGE, f"application/dicom, {DICOM}; q=0.5", "application/dicom"),
        (IMAGE, f"{DICOM}; q=0, */*; q=0.1", "application/dicom"),
        (IMAGE, f"{DICOM}; q=0", None),
        (IMAGE, "application/zip", None),
        (IMAGE, "nonsense", None),
        (f"/studies/{TEXTS.uid}", DICOM, DICOM),
        (f"/studies/{TEXTS.uid}", "application/dicom", None),
        (f"{IMAGE}/metadata", "", JSON),
        (f"{IMAGE}/metadata", "application/json", "application/json"),
        (f"{IMAGE}/metadata", "application/*", JSON),
        (f"{IMAGE}/metadata", XML, XML),
        (f"{IMAGE}/metadata", f"{JSON}; q=0.2, {XML}; q=0.3", XML),
        (f"{IMAGE}/metadata", "text/html", None),
        (f"/studies?StudyInstanceUID={SCAN.uid}", "application/json", "application/json"),
        (f"/studies?StudyInstanceUID={SCAN.uid}", XML, XML),
        (f"/studies?StudyInstanceUID={SCAN.uid}", "text/csv", None),
        (f"{IMAGE}/frames/1", "", f'multipart/related; type="{OCTETS}"'),
        (f"{IMAGE}/frames/1", OCTETS, f"{OCTETS}; transfer-syntax={OWN}"),
        (f"{IMAGE}/frames/1,1", OCTETS, None),
        (f"{IMAGE}/frames/1", f'multipart/related; type="{OCTETS}"; transfer-syntax={WRONG}', None),
        (f"{IMAGE}/bulkdata/7FE00010", "", OCTETS),
        (f"{IMAGE}/bulkdata/7FE00010", 'multipart/related; type="*/*"', "multipart/related"),
        (f"{IMAGE}/bulkdata/7FE00010", "image/jpeg", None),
        (f"{IMAGE}/rendered", "", "image/jpeg"),
        (f"{IMAGE}/rendered", "image/*", "image/jpeg"),
        (f"{IMAGE}/rendered", "image/png", "image/png"),
        (f"{IMAGE}/rendered", "image/png; q=0.9, image/jpeg; q=0.5", "image/png"),
        (f"{IMAGE}/rendered", "image/gif, image/jpeg; q=0.5", "image/jpeg"),
        (f"{IMAGE}/rendered", "image/jpeg; q=0, image/*", "image/png"),
        (f"{IMAGE}/rendered", "image/gif", None),
        (f"{IMAGE}/rendered", "application/pdf", None),
        (f"{IMAGE}/frames/1,1/rendered", "", 'multipart/related; type="image/jpeg"'),
        (f"{IMAGE}/thumbnail", "image/png", "image/png"),
        (f"/studies/{SCAN.uid}/thumbnail", "image/jpeg", "image/jpeg"),
        (f"{LETTER}/rendered", "", "application/pdf"),
        (f"{LETTER}/rendered", "image/jpeg", None),
    ],
)
def test_media_types(web: Clinic, path: str, accept: str, expected: str | None) -> None:
    answer = web.get(path, accept)
    if expected is None:
        assert answer.status_code == 406, answer.headers
        assert answer.json()["error"]
    else:
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"].startswith(expected)
        assert "Accept" in answer.headers["Vary"]


def test_the_error_names_the_transfer_syntax_there_is(web: Clinic) -> None:
    answer = web.get(IMAGE, f"{DICOM}; transfer-syntax={WRONG}")
    assert OWN in answer.json()["error"]
    assert "transfer-syntax=*" in answer.json()["hint"]
    assert OWN not in web.get(IMAGE, "application/zip").json()["error"]


def test_the_accept_parameter_goes_before_the_header(web: Clinic) -> None:
    parameter = requests.utils.quote("image/png")
    answer = web.get(f"{IMAGE}/rendered?accept={parameter}", "image/jpeg")
    assert answer.headers["Content-Type"] == "image/png"
    answer = web.get("/studies?limit=1&accept=application/dicom+json", "text/html")
    assert answer.headers["Content-Type"] == JSON


def test_a_single_part_is_the_file(web: Clinic) -> None:
    answer = web.get(IMAGE, "application/dicom")
    assert answer.content == SLICE
    assert answer.headers["Content-Type"] == f"application/dicom; transfer-syntax={OWN}"
    [(_, data)] = parts_of(web.get(IMAGE, DICOM))
    assert data == SLICE


def test_several_pictures_come_as_parts(web: Clinic) -> None:
    found = parts_of(web.get(f"{IMAGE}/frames/1,1/rendered", "image/png, multipart/related"))
    assert [kind for kind, _ in found] == ["image/jpeg"] * 2
    assert found[0] == found[1]


def test_a_document_is_rendered_as_itself(web: Clinic) -> None:
    answer = web.get(f"{LETTER}/rendered", "application/pdf")
    assert answer.content.startswith(b"%PDF-")
    assert answer.content.rstrip().endswith(b"%%EOF")
    bulk = web.get(f"{LETTER}/bulkdata/00420011", OCTETS)
    assert bulk.content.rstrip(b"\0") == answer.content


def test_xml_says_what_json_says(web: Clinic) -> None:
    for path in (f"{TEXT}/metadata", f"/studies?StudyInstanceUID={SCAN.uid}"):
        (listed,) = web.get(path, JSON).json()
        [(kind, data)] = parts_of(web.get(path, XML))
        assert kind == "application/dicom+xml"
        root = ElementTree.fromstring(data)
        assert [e.attrib["tag"] for e in root] == list(listed)
        for element in root:
            attribute = listed[element.attrib["tag"]]
            assert element.attrib["vr"] == attribute["vr"]
            values = [v.text for v in element.findall(f"{NATIVE}Value")]
            if attribute["vr"] in ("LO", "UI", "DA", "CS"):
                assert values == [v for v in attribute.get("Value", []) if v is not None]
            assert len(element.findall(f"{NATIVE}Item")) == (
                len(attribute.get("Value", [])) if attribute["vr"] == "SQ" else 0
            )


# Codings and headers


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        *((coding, True) for coding in ("gzip", "gzip, deflate, br", "*", "br;q=1, gzip;q=0.5")),
        *((coding, False) for coding in ("", "identity", "gzip;q=0", "gzip;q=0, *")),
    ],
)
def test_json_is_compressed_for_whom_takes_it(web: Clinic, coding: str, packed: bool) -> None:
    path = f"/studies/{TEXTS.uid}/metadata"
    session = web.session(web.doctor)
    headers: dict[str, Any] = {"Accept-Encoding": coding or None}
    answer = session.get(web.base + path, headers=headers, stream=True, timeout=60)
    raw = answer.raw.read(decode_content=False)
    assert answer.headers.get("Content-Encoding") == ("gzip" if packed else None)
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert int(answer.headers["Content-Length"]) == len(raw)
    plain = web.get(path).content
    assert (gzip.decompress(raw) if packed else raw) == plain
    if packed:
        assert len(raw) < len(plain) / 2


def test_nothing_else_is_compressed(web: Clinic) -> None:
    for path in (IMAGE, f"{IMAGE}/frames/1", f"{IMAGE}/rendered", f"{IMAGE}/bulkdata/7FE00010"):
        answer = web.get(path, headers={"Accept-Encoding": "gzip"})
        assert answer.status_code == 200
        assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize(
    "path", [IMAGE, f"{IMAGE}/metadata", "/studies?limit=1", "/studies/x", "/x"]
)
def test_every_answer_is_guarded(web: Clinic, path: str) -> None:
    answer = web.get(path, headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


# Searches


def test_nothing_found_is_no_content(web: Clinic) -> None:
    for path in ("/studies?PatientID=NIEMAND", "/series?PatientID=NIEMAND", "/studies?limit=0"):
        answer = web.get(path)
        assert answer.status_code == 204
        assert answer.content == b""


def test_a_cut_list_says_so(web: Clinic) -> None:
    more = "There are additional results that can be requested"
    for path in ("/studies?PatientName=ORGUEIL*", f"/studies/{TEXTS.uid}/instances?"):
        count = len(web.get(path).json())
        assert count >= 3
        cut = web.get(f"{path}&limit={count - 1}")
        assert more in cut.headers["Warning"]
        assert cut.headers["Warning"].startswith("299 ")
        last = web.get(f"{path}&limit={count - 1}&offset=1")
        assert len(last.json()) == count - 1
        assert "Warning" not in last.headers
    series = web.get("/series?PatientName=ORGUEIL*&limit=1")
    assert more in series.headers["Warning"]
    assert "Warning" not in web.get("/series?PatientName=ORGUEIL*&limit=3").headers


def test_attributes_that_cannot_be_searched_by_are_named(web: Clinic) -> None:
    answer = web.get("/studies?PatientName=ORGUEIL*&PatientComments=confidentiel&0010,0010=x")
    assert answer.status_code == 400  # neither a keyword nor a tag
    answer = web.get("/studies?PatientName=ORGUEIL*&PatientComments=confidentiel&00104000=secret")
    assert answer.status_code == 200
    assert "PatientComments" in answer.headers["Warning"]
    assert "confidentiel" not in str(answer.headers)
    assert "secret" not in str(answer.headers)


@pytest.mark.parametrize(
    "query",
    [
        "PatientName=Confidentiel&PatientName=Autre",
        "StudyDate=Confidentiel",
        "StudyDate=20260105-20260104",
        "PatientBirthDate=Confidentiel",
        "PatientName=" + "Confidentiel*" * 10,
        "PatientName=" + "Confidentiel" * 50,
        "StudyInstanceUID=Confidentiel",
        "limit=Confidentiel",
        "offset=-1",
        "fuzzymatching=Confidentiel",
        "Confidentiel%20!=1",
        "includefield=Confidentiel%20!",
    ],
)
def test_an_error_repeats_nothing_of_the_query(web: Clinic, query: str) -> None:
    answer = web.get(f"/studies?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"]
    said = answer.text.lower() + str(answer.headers).lower()
    assert "confidentiel" not in said
    assert "2026010" not in said


def test_fields_asked_for_are_added(web: Clinic) -> None:
    found = web.get(f"/studies/{SCAN.uid}/instances?includefield=WindowCenter,00281051").json()[0]
    assert {"00281050", "00281051"} <= set(found)
    plain = web.get(f"/studies/{SCAN.uid}/instances").json()[0]
    everything = web.get(f"/studies/{SCAN.uid}/instances?includefield=all").json()[0]
    assert set(plain) < set(found) < set(everything)
    study = web.get(f"/studies?StudyInstanceUID={SCAN.uid}&includefield=all").json()[0]
    assert "00080080" in study
