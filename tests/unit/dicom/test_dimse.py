"""Command sets: read in any order, answered in the order of the standard."""

from __future__ import annotations

import struct

import pytest

from serment.core.dicom import dimse
from serment.core.dicom.dimse import Command, Status
from serment.errors import (
    AccessDenied,
    FormatError,
    IntegrityError,
    Mismatch,
    NoSpace,
    SermentError,
    Unavailable,
)


def element(number: int, value: bytes, group: int = 0) -> bytes:
    return struct.pack("<HHI", group, number, len(value)) + value


STORE = (
    element(0, b"\0\0\0\0")
    + element(2, b"1.2.840.10008.5.1.4.1.1.2\0")
    + element(0x100, b"\1\0")
    + element(0x110, b"\7\0")
    + element(0x700, b"\0\0")
    + element(0x800, b"\1\0")
    + element(0x1000, b"2.25.1")
)


def test_a_store_request() -> None:
    assert dimse.parse_command(STORE) == Command(1, 7, True, "1.2.840.10008.5.1.4.1.1.2", "2.25.1")


def test_uids_that_are_none_read_as_absent() -> None:
    bad = STORE.replace(b"2.25.1", b"../../")
    assert dimse.parse_command(bad).sop_instance == ""


def test_a_cancel_has_no_message_id() -> None:
    cancel = element(0x100, b"\xff\x0f") + element(0x120, b"\7\0") + element(0x800, b"\1\1")
    assert dimse.parse_command(cancel) == Command(0x0FFF, 0, False)


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        STORE[:-1],
        STORE[:3],
        element(0x100, b"\1\0", group=8) + STORE,
        STORE.replace(element(0x110, b"\7\0"), b""),
        STORE.replace(element(0x110, b"\7\0"), element(0x110, b"\7")),
        struct.pack("<HHI", 0, 2, 0xFFFFFFFF),
        b"".join(element(n, b"") for n in range(65)) + STORE,
    ],
)
def test_a_malformed_command_is_a_format_error(bad: bytes) -> None:
    with pytest.raises(FormatError):
        dimse.parse_command(bad)


def test_a_response_holds_what_the_request_named() -> None:
    found = dimse.build_response(dimse.parse_command(STORE), Status.MISMATCH, "été")
    assert found == (
        element(0, struct.pack("<I", len(found) - 12))
        + element(2, b"1.2.840.10008.5.1.4.1.1.2\0")
        + element(0x100, b"\1\x80")
        + element(0x120, b"\7\0")
        + element(0x800, b"\1\1")
        + element(0x900, b"\0\xa9")
        + element(0x902, b"ete ")
        + element(0x1000, b"2.25.1")
    )


@pytest.mark.parametrize(
    ("text", "comment"),
    [
        ("short", "short"),
        ("à é\tb\\c\n", "a e b c"),
        ("x" * 70, "x" * 64),
        ("word " * 20, ("word " * 13).strip()),
        ("a" * 64 + " b", "a" * 64),
        ("日本", ""),
    ],
)
def test_comments_are_short_plain_ascii(text: str, comment: str) -> None:
    assert dimse.comment_of(text) == comment


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NoSpace("x"), 0xA700),
        (Unavailable("x"), 0xA700),
        (Mismatch("x"), 0xA900),
        (FormatError("x"), 0xC000),
        (AccessDenied("x"), 0x0124),
        (IntegrityError("x"), 0x0110),
    ],
)
def test_every_error_has_its_status(error: SermentError, status: int) -> None:
    assert dimse.status_of(error) == status
