"""Fuzz target: whatever a peer sends as association request or command is understood or refused.

Beside the readers stand the plain rules (an item fills what holds it exactly), pynetdicom's
decoder for requests and pydicom for commands: where these read the same bytes without a doubt,
all read the same.
"""

from __future__ import annotations

import io
import re
import struct
import warnings
from collections.abc import Iterator

from pydicom.filereader import read_dataset
from pynetdicom.pdu import A_ASSOCIATE_RQ

from serment.core.dicom import dimse, pdu
from serment.entrypoints.dimse.negotiation import find_rejection, negotiate
from serment.errors import FormatError

CT, EXPLICIT = b"1.2.840.10008.5.1.4.1.1.2", b"1.2.840.10008.1.2.1"
USUAL = {0x10, 0x20, 0x50}
DIGITS = re.compile("[0-9.]+")


class Wrong(Exception):
    """The plain rules say that this is no request, or no command."""


def item(kind: int, value: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(value)) + value


def seeds() -> Iterator[bytes]:
    """Requests with every item there is, and with little; a C-STORE-RQ, a C-ECHO-RQ."""
    fixed = struct.pack(">H2x16s16s32x", 1, b"SERMENT".ljust(16), b"CT1".ljust(16))
    user = (
        item(0x51, struct.pack(">I", 16384))
        + item(0x52, b"1.2.3")
        + item(0x53, struct.pack(">HH", 4, 4))
        + item(0x54, struct.pack(">H", len(CT)) + CT + b"\1\0")
        + item(0x55, b"PEER")
        + item(0x56, struct.pack(">H", len(CT)) + CT + b"\1")
        + item(0x58, b"\1\1\0\6dupont\0\0")
    )
    context = item(0x20, b"\1\0\0\0" + item(0x30, CT) + item(0x40, EXPLICIT) + item(0x40, b"1.2"))
    other = item(0x20, b"\3\0\0\0" + item(0x30, b"1.2.840.10008.1.1") + item(0x40, b"1.2"))
    name = item(0x10, b"1.2.840.10008.3.1.1.1")
    yield fixed + name + context + item(0x50, user)
    yield fixed + name + context + other + item(0x50, item(0x51, struct.pack(">I", 7)))
    yield fixed + name + other + item(0x50, item(0x51, struct.pack(">I", 6)))
    yield fixed + name + other + item(0x50, item(0x54, struct.pack(">H", 3) + b"1.2\1\0\0"))
    yield fixed + name + other + item(0x50, item(0x51, bytes(4)))
    values = {2: CT + b"\0", 0x100: b"\1\0", 0x110: b"\7\0", 0x800: b"\1\0", 0x1000: b"2.25.1"}
    yield b"".join(struct.pack("<HHI", 0, n, len(v)) + v for n, v in values.items())
    values = {0: b"\x24\0\0\0", 0x100: b"\x30\0", 0x110: b"\1\0", 0x800: b"\1\1"}
    yield b"".join(struct.pack("<HHI", 0, n, len(v)) + v for n, v in values.items())
    yield b"".join(struct.pack("<HHI", 0, n, 4) + v.ljust(4, b"\0") for n, v in values.items())
    values |= dict.fromkeys(range(8192, 8192 + dimse._MAX_ELEMENTS), b"")
    yield b"".join(struct.pack("<HHI", 0, n, len(v)) + v for n, v in values.items())


def fuzz_one(data: bytes) -> None:
    """Anything but `FormatError` is a fault, and so is an answer longer than it may be."""
    request(data)
    command(data)


def request(data: bytes) -> None:
    try:
        expected = plain_request(data)
    except Wrong:
        expected = None
    try:
        found = pdu.parse_associate_request(data)
    except FormatError:
        assert expected is None
        return
    told = [(c.id, c.abstract_syntax, list(c.transfer_syntaxes)) for c in found.contexts]
    assert expected == (found.called, found.calling, told, found.max_length)
    compare(data, found)
    find_rejection(found)
    agreed = negotiate(found)
    answer = pdu.build_associate_accept(found, agreed.replies, 131072, agreed.roles)
    assert answer[2:6] == (len(answer) - 6).to_bytes(4, "big")
    assert set(agreed.contexts) <= {c.id for c in found.contexts}
    room = min(found.max_length or 1000, 1000)
    for length in units(pdu.build_command(1, bytes(100), room)):
        assert length <= room


def units(data: bytes) -> Iterator[int]:
    while data:
        length = struct.unpack_from(">BxI", data)[1]
        yield length
        data = data[6 + length :]


def plain_request(data: bytes) -> tuple[bytes, bytes, list[tuple[int, str, list[str]]], int]:
    """Titles, contexts, longest unit."""
    if len(data) < 68:
        raise Wrong
    contexts, longest = [], 16384
    for kind, value in items(data[68:]):
        if kind == 0x20:
            if len(value) < 4 or value[0] % 2 == 0:
                raise Wrong
            names = items(value[4:])
            abstract = [uid(v) for k, v in names if k == 0x30]
            if len(abstract) != 1:
                raise Wrong
            contexts.append((value[0], abstract[0], [uid(v) for k, v in names if k == 0x40]))
        elif kind == 0x50:
            longest = plain_user(items(value))
    if not contexts or len({number for number, *_ in contexts}) < len(contexts):
        raise Wrong
    return data[4:20], data[20:36], contexts, longest


def plain_user(found: list[tuple[int, bytes]]) -> int:
    longest = 16384
    for kind, value in found:
        if kind == 0x51:
            longest = int.from_bytes(value, "big")
            if len(value) != 4 or 0 < longest < 7:  # a fragment's head has 6 bytes
                raise Wrong
        if kind == 0x53 and len(value) != 4:
            raise Wrong
        if kind == 0x54 and len(value) != 4 + int.from_bytes(value[:2], "big"):
            raise Wrong
    return longest


def items(data: bytes) -> list[tuple[int, bytes]]:
    found = []
    while data:
        length = int.from_bytes(data[2:4], "big")
        if len(data) < 4 + length:
            raise Wrong
        found.append((data[0], data[4 : 4 + length]))
        data = data[4 + length :]
    return found


def uid(value: bytes) -> str:
    return value.decode("latin-1").strip(" \0")


def compare(data: bytes, found: pdu.AssociateRequest) -> None:
    """What pynetdicom reads without an error is what we read: contexts and longest unit."""
    kinds = [kind for kind, _ in items(data[68:])]
    if set(kinds) != USUAL or len(set(kinds)) < len(kinds) - kinds.count(0x20) + 1:
        return
    other = A_ASSOCIATE_RQ()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            other.decode(struct.pack(">BxI", 1, len(data)) + data)
        theirs = [
            (c.presentation_context_id, str(c.abstract_syntax), list(map(str, c.transfer_syntax)))
            for c in other.presentation_context
        ]
        longest = [
            i.maximum_length_received
            for i in other.user_information.user_data
            if i.item_type == 0x51
        ]
    except Exception:  # noqa: BLE001 - what pynetdicom does not read says nothing about us
        return
    ours = [(c.id, c.abstract_syntax, list(c.transfer_syntaxes)) for c in found.contexts]
    if all(map(DIGITS.fullmatch, [n for _, one, more in theirs + ours for n in (one, *more)])):
        assert theirs == ours
    assert longest[-1:] in ([], [found.max_length])


def command(data: bytes) -> None:
    try:
        expected = plain_command(data)
    except Wrong:
        expected = None
    try:
        found = dimse.parse_command(data)
    except FormatError:
        assert expected is None
        return
    assert expected is not None
    assert found.field == number(expected, 0x100)
    assert found.has_data_set == (number(expected, 0x800) != 0x101)
    assert found.sop_instance in ("", uid(expected.get(0x1000, b"")))
    read_by_pydicom(data, expected)
    response = dimse.build_response(found, dimse.Status.SUCCESS, data.decode("latin-1"))
    # What we write, we read: a response has no message id of its own.
    assert response[:8] == b"\0\0\0\0\4\0\0\0"
    assert int.from_bytes(response[8:12], "little") == len(response) - 12


def plain_command(data: bytes) -> dict[int, bytes]:
    """Elements of group 0000 in implicit VR little endian that fill the set exactly (PS3.7 6.3)."""
    found: dict[int, bytes] = {}
    while data:
        if len(data) < 8 or data[:2] != b"\0\0" or len(found) > dimse._MAX_ELEMENTS - 1:
            raise Wrong
        length = int.from_bytes(data[4:8], "little")
        if len(data) < 8 + length:
            raise Wrong
        found[int.from_bytes(data[2:4], "little")] = data[8 : 8 + length]
        data = data[8 + length :]
    number(found, 0x100)
    number(found, 0x800)
    if number(found, 0x100) != 0x0FFF:  # a C-CANCEL has no id of its own
        number(found, 0x110)
    return found


def number(found: dict[int, bytes], element: int) -> int:
    value = found.get(element, b"")
    if len(value) != 2:
        raise Wrong
    return int.from_bytes(value, "little")


def read_by_pydicom(data: bytes, expected: dict[int, bytes]) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            read = read_dataset(io.BytesIO(data), True, True)
    except Exception:  # noqa: BLE001 - what pydicom does not read says nothing about us
        return
    theirs = {int(tag): element.value for tag, element in read._dict.items()}
    if all(isinstance(value, bytes | None) for value in theirs.values()):
        assert {tag: value or b"" for tag, value in theirs.items()} == expected
