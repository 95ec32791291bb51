"""The DICOM JSON model: types of values, bulk data, and odd values that must not break it."""

from __future__ import annotations

import base64
import io
import json as plain_json
import struct
from typing import Any

import pytest
from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

from serment.core.dicom import json, uids
from serment.core.dicom.part10 import build_meta
from serment.errors import FormatError, NotFound

BULK = "https://h/bulkdata"
META = build_meta("1.2.840.10008.5.1.4.1.1.2", "1.2.3", uids.EXPLICIT_LITTLE)


def element(tag: int, vr: str, value: bytes) -> bytes:
    if vr in ("OB", "OW", "SQ", "UN", "UT", "UV", "OV"):
        return struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, vr.encode(), 0, len(value)) + value
    return struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr.encode(), len(value)) + value


def model(*elements: bytes) -> dict[str, Any]:
    found = json.metadata(META + b"".join(elements), BULK)
    plain_json.dumps(found, allow_nan=False)
    assert found.pop("00083002") == {"vr": "UI", "Value": [uids.EXPLICIT_LITTLE]}
    return found


def written(dataset: Dataset, syntax: str) -> bytes:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.file_meta.MediaStorageSOPClassUID = UID("1.2.840.10008.5.1.4.1.1.2")
    dataset.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    out = io.BytesIO()
    dcmwrite(out, dataset, enforce_file_format=True)
    return out.getvalue()


@pytest.mark.parametrize(
    ("vr", "value", "expected"),
    [
        (
            "PN",
            b"A^B=\xe5\xb1\xb1=c ",
            [{"Alphabetic": "A^B", "Ideographic": "山", "Phonetic": "c"}],
        ),
        ("PN", b"A^B\\C", [{"Alphabetic": "A^B"}, {"Alphabetic": "C"}]),
        ("IS", b"7\\-3\\x ", [7, -3, "x"]),
        ("IS", b"99999999999 ", ["99999999999"]),
        ("DS", b"1.5\\2\\\\NaN\\1e400", [1.5, 2, None, "NaN", "1e400"]),
        ("DS", b"1_0 ", ["1_0"]),
        ("US", b"\1\0\xff\xff", [1, 65535]),
        ("SS", b"\xff\xff", [-1]),
        ("FD", struct.pack("<3d", 0.5, float("nan"), float("-inf")), [0.5, "NaN", "-inf"]),
        ("AT", b"\x10\0\x20\0", ["00100020"]),
        ("UV", b"\xff" * 8, [2**64 - 1]),
        ("LO", b"a\\\\b ", ["a", None, "b"]),
        ("LT", b"a\\b\r\nc", ["a\\b\r\nc"]),
        ("UI", b"1.2.3\0", ["1.2.3"]),
        ("DA", b"20240101", ["20240101"]),
    ],
)
def test_values(vr: str, value: bytes, expected: list[Any]) -> None:
    charset = element(0x00080005, "CS", b"ISO_IR 192")
    found = model(charset, element(0x00111001, vr, value))
    assert found["00111001"] == {"vr": vr, "Value": expected}
    assert found["00080005"] == {"vr": "CS", "Value": ["ISO_IR 192"]}


def test_an_empty_value_has_no_value() -> None:
    found = model(element(0x00100010, "PN", b""), element(0x00100020, "LO", b"  "))
    assert found == {"00100010": {"vr": "PN"}, "00100020": {"vr": "LO"}}


def test_group_lengths_are_left_out_and_tags_are_in_order() -> None:
    found = model(
        element(0x00100020, "LO", b"2 "),
        element(0x00080000, "UL", b"\4\0\0\0"),
        element(0x00080060, "CS", b"CT"),
    )
    assert list(found) == ["00080060", "00100020"]


def test_odd_values_become_bytes() -> None:
    found = model(element(0x00280010, "US", b"\1\2\3"), element(0x00111001, "ZZ", b"ab"))
    assert found["00280010"] == {"vr": "UN", "InlineBinary": "AQID"}
    assert found["00111001"] == {"vr": "UN", "InlineBinary": "YWI="}


def test_a_damaged_sequence_becomes_bytes() -> None:
    found = model(element(0x00081140, "SQ", b"garbage!"), element(0x00081199, "SQ", b"x" * 2000))
    assert found["00081140"] == {"vr": "UN", "InlineBinary": base64.b64encode(b"garbage!").decode()}
    assert found["00081199"] == {"vr": "UN", "BulkDataURI": f"{BULK}/00081199"}


def test_sequences_nested_without_end_become_bytes() -> None:
    value = b""
    for _ in range(300):
        item = struct.pack("<HHI", 0xFFFE, 0xE000, len(value)) + value
        value = element(0x00081140, "SQ", item)
    assert "00081140" in model(value)


def test_a_sequence_of_unknown_vr_is_read_as_the_dictionary_says() -> None:
    inner = struct.pack("<HHI", 0x0010, 0x0010, 4) + b"A^B "
    item = struct.pack("<HHI", 0xFFFE, 0xE000, len(inner)) + inner
    found = model(element(0x00081140, "UN", item))
    name = {"vr": "PN", "Value": [{"Alphabetic": "A^B"}]}
    assert found["00081140"] == {"vr": "SQ", "Value": [{"00100010": name}]}


def test_an_item_may_have_a_character_set_of_its_own() -> None:
    inner = element(0x00080005, "CS", b"ISO_IR 144") + element(
        0x00100010, "PN", "Люк ".encode("iso8859-5")
    )
    item = struct.pack("<HHI", 0xFFFE, 0xE000, len(inner)) + inner
    found = model(element(0x00081140, "SQ", item), element(0x00100010, "PN", b"\xe9 "))
    assert found["00081140"]["Value"][0]["00100010"]["Value"] == [{"Alphabetic": "Люк"}]
    assert found["00100010"]["Value"] == [{"Alphabetic": "é"}]


def test_large_values_and_pixels_are_bulk_data() -> None:
    large, small = bytes(range(256)) * 5, bytes(range(256)) * 4
    inner = element(0x00091002, "OB", large)
    item = struct.pack("<HHI", 0xFFFE, 0xE000, len(inner)) + inner
    parts = (
        element(0x00081140, "SQ", item + item),
        element(0x00091001, "OB", large),
        element(0x00091003, "OB", small),
        element(0x7FE00010, "OW", bytes(4)),
    )
    found = model(*parts)
    assert found["7FE00010"] == {"vr": "OW", "BulkDataURI": f"{BULK}/7FE00010"}
    assert found["00091003"]["InlineBinary"] == base64.b64encode(small).decode()
    for uri in (
        found["00091001"]["BulkDataURI"],
        found["00081140"]["Value"][1]["00091002"]["BulkDataURI"],
    ):
        assert json.bulk_data(META + b"".join(parts), uri.removeprefix(f"{BULK}/")) == large


@pytest.mark.parametrize(
    "path", ["", "x", "00091002", "00091001/0", "00091001/0/00091002", "0009100199/0/1", "-1"]
)
def test_bulk_data_that_is_not_there(path: str) -> None:
    with pytest.raises((NotFound, FormatError)):
        json.bulk_data(META + element(0x00091001, "OB", bytes(2000)), path)


def test_a_document_cut_from_the_head_is_bulk_data() -> None:
    whole = META + element(0x00100020, "LO", b"1 ") + element(0x00420011, "OB", bytes(9000))
    found = json.metadata(whole[:-8000], BULK)
    assert found["00420011"] == {"vr": "OB", "BulkDataURI": f"{BULK}/00420011"}


@pytest.mark.parametrize("syntax", sorted(uids.NATIVE))
def test_the_same_in_every_transfer_syntax(syntax: str) -> None:
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.PatientName = "LEFÈVRE^Anne"
    dataset.Rows = 512
    dataset.PixelRepresentation = 1
    dataset[0x00280106] = dataset_element(0x00280106, "SS", -5)
    inner = Dataset()
    inner.ReferencedSOPInstanceUID = "1.2.3"
    dataset.ReferencedImageSequence = Sequence([inner])
    dataset[0x60003000] = dataset_element(0x60003000, "OW", b"\1\2\3\4")
    data = written(dataset, syntax)
    found = json.metadata(data, BULK)
    assert found["00100010"]["Value"] == [{"Alphabetic": "LEFÈVRE^Anne"}]
    assert found["00280106"] == {"vr": "SS", "Value": [-5]}
    assert found["00081140"]["Value"] == [{"00081155": {"vr": "UI", "Value": ["1.2.3"]}}]
    words = b"\2\1\4\3" if syntax == uids.EXPLICIT_BIG else b"\1\2\3\4"
    assert base64.b64decode(found["60003000"]["InlineBinary"]) == words


def dataset_element(tag: int, vr: str, value: Any) -> Any:
    from pydicom.dataelem import DataElement

    return DataElement(tag, vr, value)


def test_a_shared_memo_changes_nothing() -> None:
    memo: json.Memo = {}
    parts = META + element(0x00100010, "PN", b"A^B ") + element(0x00091001, "OB", bytes(2000))
    alone = json.metadata(parts, BULK)
    assert json.metadata(parts, BULK, memo) == json.metadata(parts, BULK, memo) == alone
    other = META + element(0x00100010, "LO", b"A^B ")
    assert json.metadata(other, BULK, memo) == json.metadata(other, BULK)


# Answers from keywords


ODD = 'a"b\\c\n\t\x00\x7fé山\u2028\ud83d\ude00'


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"PatientName": ODD, "PatientID": ODD, "RetrieveURL": ODD, "OtherPatientIDs": [ODD, ""]},
        {"PatientName": "A^B=C=", "PatientBirthDate": "", "AccessionNumber": None, "Rows": 0},
        {"InstanceNumber": "7", "SeriesNumber": "x", "WindowCenter": ["1.5", "2"], "Invented": "x"},
        {"StudyDate": "20260101", "Modality": "CT", "ModalitiesInStudy": ["CT"], "StudyID": "0"},
    ],
)
def test_the_text_says_the_same(attributes: dict[str, Any]) -> None:
    text = json.to_text(attributes)
    assert plain_json.loads(text) == json.to_json(attributes)
    assert list(plain_json.loads(text)) == list(json.to_json(attributes))


def test_keywords_become_typed_attributes() -> None:
    found = json.to_json(
        {
            "PatientName": "LEFÈVRE^Anne=山",
            "PatientBirthDate": "19800131",
            "OtherPatientIDs": ["A", "B"],
            "InstanceNumber": 7,
            "WindowCenter": "40.5",
            "WindowWidth": ["400", "80"],
            "Rows": 512,
            "ModalitiesInStudy": ["CT", "SR"],
            "NumberOfStudyRelatedInstances": 12,
            "RetrieveURL": "https://h/studies/1.2",
            "ReferringPhysicianName": "",
            "AccessionNumber": None,
            "header_size": 1000,
            "Invented": "x",
        }
    )
    assert found == {
        "00080050": {"vr": "SH"},
        "00080061": {"vr": "CS", "Value": ["CT", "SR"]},
        "00080090": {"vr": "PN"},
        "00081190": {"vr": "UR", "Value": ["https://h/studies/1.2"]},
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": "LEFÈVRE^Anne", "Ideographic": "山"}]},
        "00100030": {"vr": "DA", "Value": ["19800131"]},
        "00101000": {"vr": "LO", "Value": ["A", "B"]},
        "00200013": {"vr": "IS", "Value": [7]},
        "00201208": {"vr": "IS", "Value": [12]},
        "00280010": {"vr": "US", "Value": [512]},
        "00281050": {"vr": "DS", "Value": [40.5]},
        "00281051": {"vr": "DS", "Value": [400, 80]},
    }
    assert list(found) == sorted(found)
