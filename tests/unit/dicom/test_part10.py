"""File meta information: read as it stands, written as the standard wants it."""

from __future__ import annotations

import io
import struct

import pytest
from pydicom import dcmread

from serment.core.dicom import uids
from serment.core.dicom.part10 import PREAMBLE, build_meta, read_meta
from serment.errors import FormatError

CT = "1.2.840.10008.5.1.4.1.1.2"


def element(number: int, vr: bytes, value: bytes) -> bytes:
    return struct.pack("<HH2sH", 2, number, vr, len(value)) + value


def test_what_is_written_is_read_by_us_and_by_pydicom() -> None:
    head = build_meta(CT, "1.2.3.4", uids.EXPLICIT_LITTLE)
    meta = read_meta(memoryview(bytearray(head + b"\x08\0\x05\0CS\0\0")))
    assert (meta.sop_class, meta.sop_instance) == (CT, "1.2.3.4")
    assert (meta.transfer_syntax, meta.dataset_offset) == (uids.EXPLICIT_LITTLE, len(head))
    theirs = dcmread(io.BytesIO(head)).file_meta
    assert theirs.FileMetaInformationVersion == b"\0\1"
    assert theirs.ImplementationClassUID == uids.IMPLEMENTATION_CLASS_UID
    assert theirs.FileMetaInformationGroupLength == len(head) - len(PREAMBLE) - 12


def test_the_preamble_is_empty() -> None:
    assert build_meta(CT, "1.2", uids.EXPLICIT_LITTLE)[:132] == bytes(128) + b"DICM"


@pytest.mark.parametrize("bad", ["", "1.2é", "1." * 40 + "1", "a.b"])
def test_nothing_is_written_for_what_is_not_a_uid(bad: str) -> None:
    with pytest.raises(FormatError):
        build_meta(CT, bad, uids.EXPLICIT_LITTLE)


def test_a_wrong_group_length_does_not_matter() -> None:
    body = element(0x10, b"UI", uids.EXPLICIT_LITTLE.encode() + b"\0")
    for announced in (0, 7, 10_000):
        data = PREAMBLE + element(0, b"UL", struct.pack("<I", announced)) + body
        if announced == 0:
            with pytest.raises(FormatError):
                read_meta(data + bytes(20))
        else:
            assert read_meta(data + b"\x08\0\x05\0CS\0\0").dataset_offset == len(data)


def test_a_deflated_data_set_that_starts_like_group_2_is_told_apart() -> None:
    head = build_meta(CT, "1.2", uids.DEFLATED_LITTLE)
    assert read_meta(head + b"\x02\x00\x16\x00AE\x02\x00AB").dataset_offset == len(head)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"DICM",
        bytes(128) + b"DICN" + bytes(100),
        PREAMBLE,
        PREAMBLE + element(0x02, b"UI", b"1.2\0"),
        PREAMBLE + element(0x10, b"UI", b"not a uid "),
        PREAMBLE + struct.pack("<HH2sH", 2, 0x10, b"UI", 500) + b"1.2",
        PREAMBLE + b"\2\0\1\0OB\0\0\xff\xff\xff\x7f",
        PREAMBLE + b"\2\0\1\0OB\0\0",
    ],
)
def test_refuses_what_is_not_a_dicom_file(data: bytes) -> None:
    with pytest.raises(FormatError) as refused:
        read_meta(data)
    assert refused.value.advice
