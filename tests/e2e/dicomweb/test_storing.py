"""STOW-RS: what is kept, what is refused and why, and what a hostile or broken sender gets."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from xml.etree import ElementTree

import pytest
from pydicom import Dataset
from tests.e2e.dicomweb.clinic import BOUNDARY, RELATED, Clinic, quietly, stow_body
from tests.practices import patient, report, study

from serment.core.dicom.fictional import Place

NATIVE = "{http://dicom.nema.org/PS3.19/models/NativeDICOM}"
KEPT = study(patient(701, "STOCKAGE^Anna"), 1)
OTHER = study(patient(702, "STOCKAGE^Bela"), 1)
NOT_UNDERSTOOD, MISMATCH = 0xC000, 0xA900


def instances(clinic: Clinic, of: Any = KEPT) -> list[str]:
    answer = clinic.get(f"/studies/{of.uid}/instances")
    return [one["00080018"]["Value"][0] for one in answer.json()] if answer.content else []


def uid(number: int, of: Any = KEPT) -> str:
    return Place(1, number).instance_uid(of)


def test_some_kept_and_some_not(clinic: Clinic) -> None:
    another = uid(3)[:-1] + str((int(uid(3)[-1]) + 1) % 10)
    swapped = report(KEPT, 3).replace(uid(3).encode(), another.encode(), 1)  # in group 2 only
    answer = clinic.post(
        stow_body([report(KEPT, 1), b"not DICOM at all", swapped, report(KEPT, 2)]),
        Accept="application/dicom+json",
    )
    assert answer.status_code == 202
    assert answer.headers["Content-Type"] == "application/dicom+json"
    found = Dataset.from_json(answer.json())
    assert [i.ReferencedSOPInstanceUID for i in found.ReferencedSOPSequence] == [uid(1), uid(2)]
    assert [i.FailureReason for i in found.FailedSOPSequence] == [NOT_UNDERSTOOD, MISMATCH]
    assert found.FailedSOPSequence[1].ReferencedSOPInstanceUID == another
    assert found.RetrieveURL == f"{clinic.base}/studies/{KEPT.uid}"
    assert "not a DICOM file" in answer.headers["Warning"]
    assert set(instances(clinic)) == {uid(1), uid(2)}


def test_nothing_kept_is_a_conflict(clinic: Clinic) -> None:
    answer = clinic.post(stow_body([b"x" * 500, b""]))
    assert answer.status_code == 409
    found = Dataset.from_json(answer.json())
    assert [i.FailureReason for i in found.FailedSOPSequence] == [NOT_UNDERSTOOD] * 2
    assert "ReferencedSOPSequence" not in found
    assert "RetrieveURL" not in found
    assert clinic.post(stow_body([])).status_code in (400, 409)


@pytest.mark.parametrize("accept", ["application/dicom+xml", "application/xml", "text/xml"])
def test_the_answer_in_xml(clinic: Clinic, accept: str) -> None:
    answer = clinic.post(stow_body([report(KEPT, 1), b"junk"]), Accept=accept)
    assert answer.status_code == 202
    assert answer.headers["Content-Type"].startswith(accept)
    root = ElementTree.fromstring(answer.content)
    by_tag = {e.attrib["tag"]: e for e in root}
    (item,) = by_tag["00081199"].findall(f"{NATIVE}Item")
    values = {e.attrib["keyword"]: e.findtext(f"{NATIVE}Value") for e in item}
    assert values["ReferencedSOPInstanceUID"] == uid(1)
    assert values["RetrieveURL"].endswith(f"/instances/{uid(1)}")
    (item,) = by_tag["00081198"].findall(f"{NATIVE}Item")
    values = {e.attrib["keyword"]: e.findtext(f"{NATIVE}Value") for e in item}
    assert values["FailureReason"] == str(NOT_UNDERSTOOD)


def test_only_the_study_of_the_address_is_taken(clinic: Clinic) -> None:
    body = stow_body([report(OTHER, 1), report(KEPT, 1)])
    answer = clinic.post(body, f"/studies/{OTHER.uid}")
    assert answer.status_code == 202
    found = Dataset.from_json(answer.json())
    assert [i.ReferencedSOPInstanceUID for i in found.ReferencedSOPSequence] == [uid(1, OTHER)]
    assert [i.FailureReason for i in found.FailedSOPSequence] == [MISMATCH]
    assert "another study" in answer.headers["Warning"]
    assert clinic.post(body, "/studies/no-uid").status_code == 400


def test_parts_of_another_type_are_refused_one_by_one(clinic: Clinic) -> None:
    first = stow_body([report(KEPT, 1)]).removesuffix(f"--{BOUNDARY}--\r\n".encode())
    answer = clinic.post(first + stow_body([b"%PDF-1.7"], "application/pdf"))
    assert answer.status_code == 202
    assert len(Dataset.from_json(answer.json()).FailedSOPSequence) == 1


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/dicom", 415),
        ("", 415),
        ("multipart/form-data; boundary=x", 415),
        ('multipart/related; type="application/dicom+json"; boundary=x', 415),
        ("multipart/related; type=", 415),
        ('multipart/related; type="application/dicom"', 400),
        ('multipart/related; type="application/dicom"; boundary="' + "x" * 71 + '"', 400),
        ('multipart/related; type="application/dicom"; boundary=another', 400),
        (RELATED.upper().replace(BOUNDARY.upper(), BOUNDARY), 200),
        (f"multipart/related;type=application/dicom;boundary={BOUNDARY};start=x", 200),
    ],
)
def test_content_types(clinic: Clinic, content_type: str, status: int) -> None:
    answer = clinic.post(stow_body([report(KEPT, 1)]), Content_Type=content_type)
    assert answer.status_code == status, answer.text
    if status != 200:
        assert answer.json()["error"]


def test_an_answer_nobody_reads_is_refused_before_anything_is_kept(clinic: Clinic) -> None:
    alone = study(patient(703, "STOCKAGE^Cora"), 1)
    answer = clinic.post(stow_body([report(alone)]), Accept="text/html")
    assert answer.status_code == 406
    assert instances(clinic, alone) == []


HEAD = f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no boundary at all",
        b"x" * 200_000,
        HEAD.encode(),
        f"{HEAD}\r\nabc".encode(),  # the closing boundary is missing
        f"{HEAD}\r\nabc\r\n--{BOUNDARY}oops\r\n".encode(),
        f"--{BOUNDARY}\r\nno colon here\r\n\r\nabc\r\n--{BOUNDARY}--\r\n".encode(),
        f"{HEAD}X-Long: {'a' * 100_000}\r\n\r\nabc\r\n--{BOUNDARY}--\r\n".encode(),
        (HEAD + "X-Many: b\r\n" * 20_000 + f"\r\nabc\r\n--{BOUNDARY}--\r\n").encode(),
        f"--{BOUNDARY}{' ' * 100_000}\r\n".encode(),
    ],
    ids=range(10),
)
def test_a_malformed_body_is_refused(clinic: Clinic, body: bytes) -> None:
    answer = clinic.post(body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]


def test_a_body_without_a_length_is_taken(clinic: Clinic) -> None:
    def chunks() -> Iterator[bytes]:
        body = stow_body([report(KEPT, 1), report(KEPT, 2)])
        for start in range(0, len(body), 777):
            yield body[start : start + 777]

    assert clinic.post(chunks()).status_code == 200


@contextmanager
def wire(clinic: Clinic) -> Iterator[ssl.SSLSocket]:
    """The bare connection."""
    context = ssl.create_default_context(cafile=clinic.server.authority)
    with (
        socket.create_connection(("127.0.0.1", clinic.server.web_port), 30) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as secure,
    ):
        yield secure


def request(clinic: Clinic, length: int) -> bytes:
    return (
        f"POST /dicom-web/studies HTTP/1.1\r\nHost: 127.0.0.1:{clinic.server.web_port}\r\n"
        f"Authorization: Bearer {clinic.device}\r\nContent-Type: {RELATED}\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


def test_a_body_shorter_than_announced_is_not_kept(clinic: Clinic) -> None:
    alone = study(patient(704, "STOCKAGE^Dora"), 1)
    body = stow_body([report(alone)])[:-10]
    with wire(clinic) as connection:
        connection.sendall(request(clinic, len(body) + 10_000) + body)
        linger = struct.pack("ii", 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    assert clinic.post(stow_body([report(KEPT, 1)])).status_code == 200
    assert instances(clinic, alone) == []


def test_a_body_longer_than_announced_is_cut_there(clinic: Clinic) -> None:
    body = stow_body([report(KEPT, 1)])
    with wire(clinic) as connection:
        connection.sendall(request(clinic, len(body) - 300) + body)
        answer = connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 400 ")
        while more := connection.recv(65536):
            answer += more
    assert clinic.post(body).status_code == 200


def test_an_unbelievable_length_costs_nothing(clinic: Clinic) -> None:
    with wire(clinic) as connection:
        connection.sendall(request(clinic, 1 << 60) + f"{HEAD}\r\n".encode() + b"x" * 300)
    with wire(clinic) as connection:
        connection.sendall(request(clinic, 10).replace(b"Length: 10", b"Length: -10"))
        assert connection.recv(65536).startswith(b"HTTP/1.1 400 ")
    assert clinic.post(stow_body([report(KEPT, 1)])).status_code == 200


def test_many_instances_at_once(clinic: Clinic) -> None:
    many = study(patient(705, "STOCKAGE^Emma"), 1)
    clinic.store(*(report(many, number) for number in range(1, 301)))
    assert len(instances(clinic, many)) == 300
    answer = clinic.get(f"/studies/{many.uid}/metadata")
    numbers = [one["00200013"]["Value"][0] for one in answer.json()]
    assert numbers == list(range(1, 301))


def test_a_pdf_attached_to_a_patient_is_an_instance_too(clinic: Clinic, tmp_path: Any) -> None:
    document = tmp_path / "lettre.pdf"
    document.write_bytes(b"%PDF-1.7\n" + b"imaginaire\n" * 3000 + b"%%EOF")
    clinic.store(report(study(patient(706, "LETTRE^Flora", "19800229"), 1)))
    (found,) = clinic.vault.json("search", "lettre flora", "--as", "docteur")
    clinic.vault.json("import", document, "--patient", found["Patient"], "--as", "docteur")
    listed = clinic.get("/studies?ModalitiesInStudy=DOC").json()
    (study_uid,) = [
        one["0020000D"]["Value"][0]
        for one in listed
        if one["00100010"]["Value"] == [{"Alphabetic": "LETTRE^Flora"}]
    ]
    (metadata,) = clinic.get(f"/studies/{study_uid}/metadata").json()
    assert metadata["00100010"]["Value"] == [{"Alphabetic": "LETTRE^Flora"}]
    assert metadata["00080016"]["Value"] == ["1.2.840.10008.5.1.4.1.1.104.1"]
    assert metadata["00420012"]["Value"] == ["application/pdf"]
    series, instance = (metadata[tag]["Value"][0] for tag in ("0020000E", "00080018"))
    url = f"/studies/{study_uid}/series/{series}/instances/{instance}"
    answer = clinic.get(url, "application/dicom")
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    whole = quietly(answer.content)
    assert whole.EncapsulatedDocument[: whole.EncapsulatedDocumentLength] == document.read_bytes()
    assert whole.PatientName == "LETTRE^Flora"
    assert clinic.get(f"{url}/rendered").content == document.read_bytes()
    bulk = metadata["00420011"]["BulkDataURI"].removeprefix(clinic.base)
    assert clinic.get(bulk).content.rstrip(b"\0") == document.read_bytes()
