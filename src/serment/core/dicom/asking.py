"""Queries that ask how many patients there are, and forget who: C-FIND from the asking side.

The answers are read for one purpose, to tell patients apart while they are counted: a number per
patient leaves here, made with a secret of this process and kept nowhere. Only the two little
endian syntaxes are offered, so only they are read, and no dictionary is needed. Source: PS3.4 C.4.1
(query), K.4.1 (worklist); PS3.7 9.1.2 (C-FIND), 9.3.2.3 (C-CANCEL). Nothing here can store.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from serment.core.dicom.known import IMPLICIT_LITTLE
from serment.errors import N_, FormatError

VERIFICATION: Final = "1.2.840.10008.1.1"
PATIENT_ROOT_FIND: Final = "1.2.840.10008.5.1.4.1.2.1.1"
PATIENT_ROOT_MOVE: Final = "1.2.840.10008.5.1.4.1.2.1.2"
PATIENT_ROOT_GET: Final = "1.2.840.10008.5.1.4.1.2.1.3"
STUDY_ROOT_FIND: Final = "1.2.840.10008.5.1.4.1.2.2.1"
STUDY_ROOT_MOVE: Final = "1.2.840.10008.5.1.4.1.2.2.2"
STUDY_ROOT_GET: Final = "1.2.840.10008.5.1.4.1.2.2.3"
WORKLIST_FIND: Final = "1.2.840.10008.5.1.4.31"

SUCCESS: Final = 0x0000
PENDING: Final = frozenset({0xFF00, 0xFF01})
CANCELLED: Final = 0xFE00
OUT_OF_RESOURCES: Final = frozenset({0xA700, 0x0213})  # PS3.4 C.4.1.1.4, PS3.7 C.5.18
_REQUEST_ECHO: Final = 0x0030
_REQUEST_FIND: Final = 0x0020
_REQUEST_CANCEL: Final = 0x0FFF
_RESPONSE: Final = 0x8000
_NO_DATA_SET: Final = 0x0101
_DATA_SET_FOLLOWS: Final = 0x0001
_MEDIUM: Final = 0
_ELEMENTS: Final = 2000  # of one answer
_DEPTH: Final = 16
_UNDEFINED: Final = 0xFFFFFFFF
_DELIMITERS: Final = 0xFFFE
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_LONG: Final = frozenset(
    {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
)
_LAST: Final = 0x00100020  # nothing beyond the patient's identifier is looked at
_PATIENT_ID: Final = 0x00100020
_PATIENT_NAME: Final = 0x00100010
_STUDY_UID: Final = 0x0020000D

_STUDY_OF_ANYBODY: Final = (
    (0x00080052, "CS", b"STUDY "),
    (_PATIENT_NAME, "PN", b""),
    (_PATIENT_ID, "LO", b""),
    (_STUDY_UID, "UI", b""),
)
_EMPTY_STUDY: Final = ((0x00080020, "DA", b""), *_STUDY_OF_ANYBODY)
_DATED_STUDY: Final = ((0x00080020, "DA", b"19900101-20991231 "), *_STUDY_OF_ANYBODY)
_EMPTY_PATIENT: Final = (
    (0x00080052, "CS", b"PATIENT "),
    (_PATIENT_NAME, "PN", b""),
    (_PATIENT_ID, "LO", b""),
)
_EMPTY_WORKLIST: Final = (
    (_PATIENT_NAME, "PN", b""),
    (_PATIENT_ID, "LO", b""),
    (_STUDY_UID, "UI", b""),
    (0x00400100, "SQ", b""),
)


@dataclass(frozen=True, slots=True)
class Reply:
    """A response command set: its status, and whether a data set follows."""

    status: int
    has_data_set: bool
    is_find: bool


def build_echo(message_id: int) -> bytes:
    """C-ECHO-RQ's command set (PS3.7 9.3.5.1)."""
    return _command(VERIFICATION, _REQUEST_ECHO, message_id, _NO_DATA_SET)


def build_find(sop_class: str, message_id: int) -> bytes:
    """C-FIND-RQ's command set (PS3.7 9.3.2.1)."""
    return _command(sop_class, _REQUEST_FIND, message_id, _DATA_SET_FOLLOWS)


def build_cancel(message_id: int) -> bytes:
    """C-CANCEL-RQ's command set (PS3.7 9.3.2.3)."""
    return _grouped(
        _element(0x0100, struct.pack("<H", _REQUEST_CANCEL))
        + _element(0x0120, struct.pack("<H", message_id))
        + _element(0x0800, struct.pack("<H", _NO_DATA_SET))
    )


def study_query(transfer_syntax: str) -> bytes:
    """Every study, with what tells patients apart."""
    return _data_set(_EMPTY_STUDY, transfer_syntax != IMPLICIT_LITTLE)


def dated_study_query(transfer_syntax: str) -> bytes:
    """Every study that has a date of these times, for a node that wants a query to be restricted."""
    return _data_set(_DATED_STUDY, transfer_syntax != IMPLICIT_LITTLE)


def patient_query(transfer_syntax: str) -> bytes:
    """Every patient, of a node that offers the patient root."""
    return _data_set(_EMPTY_PATIENT, transfer_syntax != IMPLICIT_LITTLE)


def worklist_query(transfer_syntax: str) -> bytes:
    """Every entry of a worklist."""
    return _data_set(_EMPTY_WORKLIST, transfer_syntax != IMPLICIT_LITTLE)


def parse_reply(untrusted: bytes) -> Reply:
    """Read a response's command set (always implicit little endian, PS3.7 6.3.1).

    Raises:
        FormatError: it is not one.
    """
    found = _read(untrusted, explicit=False)
    return Reply(
        _number(found, 0x0900),
        _number(found, 0x0800) != _NO_DATA_SET,
        _number(found, 0x0100) == _REQUEST_FIND | _RESPONSE,
    )


def whose(untrusted: bytes, transfer_syntax: str) -> int | None:
    """A number that is the same for answers about the same patient; None when none is named.

    It is made with this process's own secret (PEP 456) and means nothing in another one.

    Raises:
        FormatError: the answer is no data set.
    """
    found = _read(untrusted, transfer_syntax != IMPLICIT_LITTLE)
    for tag in (_PATIENT_ID, _PATIENT_NAME):
        value = found.get(tag, b"").strip(b" \0")
        if value:
            return hash(value)
    return None


def _read(untrusted: bytes, explicit: bool) -> dict[int, bytes]:
    """Values of the first level, up to `_LAST`; what is nested is read over."""
    found: dict[int, bytes] = {}
    try:
        position = 0
        while position < len(untrusted) and len(found) < _ELEMENTS:
            tag, length, position = _head(untrusted, position, explicit)
            if tag > _LAST:
                break
            if length == _UNDEFINED:
                position = _past_items(untrusted, position, explicit, _DEPTH)
                continue
            if length > len(untrusted) - position:
                raise _not_a_data_set()
            found[tag] = untrusted[position : position + length]
            position += length
    except struct.error:
        raise _not_a_data_set() from None
    return found


def _head(data: bytes, position: int, explicit: bool) -> tuple[int, int, int]:
    """Tag, length of the value, where it begins (PS3.5 7.1)."""
    group, number = struct.unpack_from("<HH", data, position)
    if not explicit or group == _DELIMITERS:
        return group << 16 | number, *struct.unpack_from("<I", data, position + 4), position + 8
    if data[position + 4 : position + 6] in _LONG:
        return group << 16 | number, *struct.unpack_from("<I", data, position + 8), position + 12
    return group << 16 | number, *struct.unpack_from("<H", data, position + 6), position + 8


def _past_items(data: bytes, position: int, explicit: bool, depth: int) -> int:
    """Where a sequence of undefined length ends (PS3.5 7.5)."""
    if not depth:
        raise _not_a_data_set()
    while True:
        tag, length, position = _head(data, position, explicit)
        if tag == _SEQUENCE_END:
            return position
        if tag != _ITEM:
            raise _not_a_data_set()
        position = (
            _past_elements(data, position, explicit, depth - 1)
            if length == _UNDEFINED
            else position + length
        )


def _past_elements(data: bytes, position: int, explicit: bool, depth: int) -> int:
    """Where an item of undefined length ends."""
    while True:
        tag, length, position = _head(data, position, explicit)
        if tag == _ITEM_END:
            return position
        if length == _UNDEFINED:
            position = _past_items(data, position, explicit, depth)
        else:
            position += length


def _not_a_data_set() -> FormatError:
    return FormatError(N_("the answer is not a data set"))


def _number(found: dict[int, bytes], tag: int) -> int:
    value = found.get(tag, b"")
    if len(value) != 2:
        raise FormatError(N_("the answer is not a DICOM command"))
    return int.from_bytes(value, "little")


def _command(sop_class: str, field: int, message_id: int, data_set: int) -> bytes:
    uid = sop_class.encode("ascii")
    elements = _element(0x0002, uid + b"\0" * (len(uid) % 2))
    elements += _element(0x0100, struct.pack("<H", field))
    elements += _element(0x0110, struct.pack("<H", message_id))
    if field == _REQUEST_FIND:
        elements += _element(0x0700, struct.pack("<H", _MEDIUM))
    return _grouped(elements + _element(0x0800, struct.pack("<H", data_set)))


def _grouped(elements: bytes) -> bytes:
    return _element(0, struct.pack("<I", len(elements))) + elements


def _element(number: int, value: bytes) -> bytes:
    return struct.pack("<HHI", 0, number, len(value)) + value


def _data_set(elements: tuple[tuple[int, str, bytes], ...], explicit: bool) -> bytes:
    return b"".join(_encoded(tag, vr, value, explicit) for tag, vr, value in elements)


def _encoded(tag: int, vr: str, value: bytes, explicit: bool) -> bytes:
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
    if not explicit:
        return head + struct.pack("<I", len(value)) + value
    if vr == "SQ":
        return head + b"SQ\0\0" + struct.pack("<I", len(value)) + value
    return head + vr.encode("ascii") + struct.pack("<H", len(value)) + value
