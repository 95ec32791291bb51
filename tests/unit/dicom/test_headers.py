"""The split of a header into identity and clinical attributes."""

from __future__ import annotations

import io
from typing import Any

import pytest
from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID

from serment.core.dicom import headers, uids
from serment.core.dicom.headers import CLINICAL, IDENTITY, split
from serment.core.dicom.part10 import read_meta
from serment.core.dicom.walker import walk
from serment.errors import FormatError


def part10(syntax: str = uids.EXPLICIT_LITTLE, **attributes: Any) -> bytes:
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.file_meta.MediaStorageSOPClassUID = UID("1.2.840.10008.5.1.4.1.1.2")
    dataset.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    out = io.BytesIO()
    dcmwrite(out, dataset, enforce_file_format=True)
    return out.getvalue()


def split_file(data: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    meta = read_meta(data)
    return split(walk(data[meta.dataset_offset :], meta.transfer_syntax), meta)


FULL = {
    "PatientName": "LEFÈVRE^Anne-Cœur",
    "PatientID": "IPP 0042",
    "IssuerOfPatientID": "CABINET",
    "OtherPatientIDs": ["A1", "B2"],
    "PatientBirthDate": "19800131",
    "PatientSex": "F",
    "AccessionNumber": "ACC1",
    "StudyInstanceUID": "1.2.3.1",
    "StudyDate": "20240101",
    "StudyTime": "101500.5",
    "StudyID": "7",
    "Modality": "CT",
    "ReferringPhysicianName": "MARTIN^Paul",
    "InstitutionName": "Cabinet du Port",
}
SEEN = {
    "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2",
    "SOPInstanceUID": "1.2.3.4.5",
    "StudyInstanceUID": "1.2.3.1",
    "SeriesInstanceUID": "1.2.3.2",
    "Modality": "CT",
    "SeriesNumber": 3,
    "InstanceNumber": -1,
    "StudyDescription": "Scanner thoracique",
    "SeriesDescription": "Poumon",
    "ProtocolName": "Thorax",
    "BodyPartExamined": "CHEST",
    "SeriesDate": "20240101",
    "SeriesTime": "101600",
    "ContentDate": "20240102",
    "Rows": 512,
    "Columns": 256,
    "NumberOfFrames": 2,
    "SamplesPerPixel": 1,
    "BitsAllocated": 16,
    "BitsStored": 12,
    "PixelRepresentation": 1,
    "PhotometricInterpretation": "MONOCHROME2",
    "PlanarConfiguration": 0,
    "WindowCenter": "40.5",
    "WindowWidth": ["400", "80"],
    "RescaleSlope": "1",
    "RescaleIntercept": "-1024",
}


@pytest.mark.parametrize("syntax", sorted(uids.NATIVE))
def test_every_listed_attribute_is_split_and_typed(syntax: str) -> None:
    assert set(FULL) == set(IDENTITY)
    assert set(SEEN) == set(CLINICAL)
    data = part10(syntax, **FULL | SEEN)
    identity, clinical = split_file(data)
    assert identity == FULL
    header_size = clinical.pop("header_size")
    assert header_size in (len(data), len(data) - 1)
    assert clinical == SEEN | {"AvailableTransferSyntaxUID": syntax}


def test_the_clinical_side_holds_nothing_that_identifies() -> None:
    shared = {"StudyInstanceUID", "Modality"}
    assert set(IDENTITY) & set(CLINICAL) == shared
    assert not any(key.startswith(("Patient", "Accession")) for key in CLINICAL)


def test_absent_empty_and_unusable_values_have_no_key() -> None:
    identity, clinical = split_file(part10(PatientName="", PatientID="  ", StudyDate=None))
    assert identity == {}
    assert set(clinical) == {"AvailableTransferSyntaxUID", "header_size"}


def test_header_size_is_where_the_pixel_value_starts() -> None:
    dataset = part10(Rows=1, Columns=2, BitsAllocated=8, PixelData=b"\7\7")
    _identity, clinical = split_file(dataset)
    assert dataset[clinical["header_size"] :] == b"\7\7"


def test_values_of_absurd_length_are_cut() -> None:
    raw = part10(PatientID="X" * 60)
    raw = raw.replace(b"LO\x3c\0" + b"X" * 60, b"LO\x00\x80" + b"X" * 0x8000)
    identity, _clinical = split_file(raw)
    assert identity["PatientID"] == "X" * headers.MAX_TEXT


@pytest.mark.parametrize(
    ("written", "number"),
    [(b"7 ", 7), (b" +7\0", 7), (b"-3", -3), (b"7.00", 7), (b"7.5 ", None), (b"--7 ", None)],
)
def test_integer_strings(written: bytes, number: int | None) -> None:
    raw = part10(InstanceNumber=1).replace(
        b"IS\2\x001 ", b"IS" + bytes([len(written), 0]) + written
    )
    assert split_file(raw)[1].get("InstanceNumber") == number


def test_json_form() -> None:
    identity = {"PatientName": "LEFÈVRE^Anne", "OtherPatientIDs": ["A", "B"]}
    data = headers.encode(identity)
    assert data == '{"PatientName":"LEFÈVRE^Anne","OtherPatientIDs":["A","B"]}'.encode()
    assert headers.decode(data) == identity
    for bad in (b"", b"[]", b"{", b"\xff", b"[" * 100_000):
        with pytest.raises(FormatError):
            headers.decode(bad)
