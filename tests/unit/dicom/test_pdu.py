"""Protocol data units: what is read from a request, and the exact bytes of each answer."""

from __future__ import annotations

import struct

import pytest

from serment.core.dicom import pdu
from serment.errors import FormatError

CT = "1.2.840.10008.5.1.4.1.1.2"


def item(kind: int, value: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(value)) + value


def body(*items: bytes) -> bytes:
    return struct.pack(">H2x16s16s32s", 1, b"SERMENT", b"CT1", b"r" * 32) + b"".join(items)


CONTEXT = item(0x20, b"\1\0\0\0" + item(0x30, CT.encode()) + item(0x40, b"1.2\0"))


def test_a_request_is_read_whole() -> None:
    user = item(0x51, struct.pack(">I", 32768)) + item(0x53, struct.pack(">HH", 4, 2))
    user += item(0x52, b"1.2.3") + item(0x55, b"PEER") + item(0x54, b"\0\x031.2\1\0")
    found = pdu.parse_associate_request(
        body(item(0x10, b"1.2.840.10008.3.1.1.1"), CONTEXT, item(0x50, user))
    )
    assert found.contexts == (pdu.PresentationContext(1, CT, ("1.2",)),)
    assert (found.max_length, found.operations) == (32768, (4, 2))
    assert (found.implementation_class, found.implementation_version) == ("1.2.3", "PEER")
    assert found.roles == (pdu.Role("1.2", True, False),)
    assert found.reserved == b"r" * 32
    assert pdu.title_of(found.calling) == "CT1"


def test_a_peer_that_says_nothing_of_itself_has_the_default_length() -> None:
    assert pdu.parse_associate_request(body(CONTEXT)).max_length == 16384


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        body()[:-1],
        body(),
        body(CONTEXT, CONTEXT),
        body(CONTEXT)[:-1],
        body(CONTEXT, b"\x10\0"),
        body(item(0x20, b"")),
        body(item(0x20, b"\1\0\0\0")),
        body(item(0x20, b"\2\0\0\0" + item(0x30, b"1.2"))),
        body(item(0x20, b"\1\0\0\0" + item(0x30, b"1.2") * 2)),
        body(CONTEXT, item(0x50, item(0x51, b"\0"))),
        body(CONTEXT, item(0x50, item(0x51, b"\0\0\0\6"))),
        body(CONTEXT, item(0x50, item(0x53, b"\0"))),
        body(CONTEXT, item(0x50, item(0x54, b"\0\xff1.2\0\0"))),
        body(CONTEXT, item(0x50, item(0x54, b"\0"))),
    ],
)
def test_a_malformed_request_is_a_format_error(bad: bytes) -> None:
    with pytest.raises(FormatError) as error:
        pdu.parse_associate_request(bad)
    assert error.value.advice


@pytest.mark.parametrize(
    ("raw", "title"),
    [
        (b"CT1             ", "CT1"),
        (b" CT1\0\0", "CT1"),
        (b"A B", "A B"),
        (b"", None),
        (b"   \0", None),
        (b"\xe9", None),
        (b"A\\B", None),
        (b"A\nB", None),
    ],
)
def test_titles(raw: bytes, title: str | None) -> None:
    assert pdu.title_of(raw) == title


def test_the_bytes_of_the_short_units() -> None:
    assert pdu.build_release_reply().hex() == "06000000000400000000"
    assert pdu.build_abort().hex() == "07000000000400000000"
    assert pdu.build_abort(pdu.AbortReason.INVALID_PARAMETER).hex() == "07000000000400000206"
    assert pdu.build_associate_reject(pdu.Rejection.LOCAL_LIMIT).hex() == "03000000000400020302"


def test_a_command_is_cut_to_what_the_peer_takes() -> None:
    whole = pdu.build_command(5, b"abcdef", 0)
    assert whole == bytes.fromhex("04 00 0000000c 00000008 05 03") + b"abcdef"
    cut = pdu.build_command(5, b"abcdef", 10)
    assert cut == (
        bytes.fromhex("04 00 0000000a 00000006 05 01")
        + b"abcd"
        + bytes.fromhex("04 00 00000008 00000004 05 03")
        + b"ef"
    )
