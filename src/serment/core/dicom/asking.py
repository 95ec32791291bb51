"""Queries that ask how many patients there are, and forget who: C-FIND from the asking side.

The answers are read for one purpose, to tell patients apart while they are counted: a number per
patient leaves here, made with a secret of this process and kept nowhere. Source: PS3.4 C.4.1
(query), K.4.1 (worklist); PS3.7 9.1.2 (C-FIND), 9.3.2.3 (C-CANCEL). Nothing here can store.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from serment.core.dicom import syntax
from serment.core.dicom.dimse import NO_DATA_SET, RESPONSE, CommandField
from serment.core.dicom.elements import Budget, Elements, Overrun, read_elements
from serment.core.dicom.syntax import Syntax
from serment.errors import N_, FormatError

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
_REQUEST_FIND: Final = 0x0020
_DATA_SET_FOLLOWS: Final = 0x0001
_MEDIUM: Final = 0
_ELEMENTS: Final = 2000  # of one answer
_PATIENT_ID: Final = 0x00100020
_PATIENT_NAME: Final = 0x00100010
_STUDY_UID: Final = 0x0020000D

_EMPTY_STUDY: Final = (
    (0x00080020, "DA", b""),
    (0x00080052, "CS", b"STUDY "),
    (_PATIENT_NAME, "PN", b""),
    (_PATIENT_ID, "LO", b""),
    (_STUDY_UID, "UI", b""),
)
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
    return _command("1.2.840.10008.1.1", CommandField.C_ECHO_RQ, message_id, NO_DATA_SET)


def build_find(sop_class: str, message_id: int) -> bytes:
    """C-FIND-RQ's command set (PS3.7 9.3.2.1)."""
    return _command(sop_class, _REQUEST_FIND, message_id, _DATA_SET_FOLLOWS)


def build_cancel(message_id: int) -> bytes:
    """C-CANCEL-RQ's command set (PS3.7 9.3.2.3)."""
    return _grouped(
        _element(0x0100, struct.pack("<H", CommandField.C_CANCEL_RQ))
        + _element(0x0120, struct.pack("<H", message_id))
        + _element(0x0800, struct.pack("<H", NO_DATA_SET))
    )


def study_query(transfer_syntax: str) -> bytes:
    """Every study, with what tells patients apart."""
    return _data_set(_EMPTY_STUDY, syntax.of(transfer_syntax))


def patient_query(transfer_syntax: str) -> bytes:
    """Every patient, of a node that offers the patient root."""
    return _data_set(_EMPTY_PATIENT, syntax.of(transfer_syntax))


def worklist_query(transfer_syntax: str) -> bytes:
    """Every entry of a worklist."""
    return _data_set(_EMPTY_WORKLIST, syntax.of(transfer_syntax))


def parse_reply(untrusted: bytes) -> Reply:
    """Read a response's command set (always implicit little endian, PS3.7 6.3.1).

    Raises:
        FormatError: it is not one.
    """
    found = _read(untrusted, syntax.in_order(explicit=False, little=True))
    return Reply(
        _number(found, 0x0900),
        _number(found, 0x0800) != NO_DATA_SET,
        _number(found, 0x0100) == _REQUEST_FIND | RESPONSE,
    )


def whose(untrusted: bytes, transfer_syntax: str) -> int | None:
    """A number that is the same for answers about the same patient; None when none is named.

    It is made with this process's own secret (PEP 456) and means nothing in another one.

    Raises:
        FormatError: the answer is no data set.
    """
    found = _read(untrusted, syntax.of(transfer_syntax))
    for tag in (_PATIENT_ID, _PATIENT_NAME):
        value = found.get(tag, ("", b""))[1].strip(b" \0")
        if value:
            return hash(value)
    return None


def _read(untrusted: bytes, order: Syntax) -> Elements:
    found: Elements = {}
    try:
        read_elements(untrusted, 0, len(untrusted), order, found, Budget(_ELEMENTS))
    except Overrun:
        raise FormatError(N_("the answer is not a data set")) from None
    return found


def _number(found: Elements, tag: int) -> int:
    value = found.get(tag, ("", b""))[1]
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


def _data_set(elements: tuple[tuple[int, str, bytes], ...], order: Syntax) -> bytes:
    return b"".join(_encoded(tag, vr, value, order) for tag, vr, value in elements)


def _encoded(tag: int, vr: str, value: bytes, order: Syntax) -> bytes:
    group, number = tag >> 16, tag & 0xFFFF
    if not order.explicit:
        return order.head.pack(group, number, len(value)) + value
    if vr == "SQ":
        head = order.head.pack(group, number, vr.encode("ascii"), 0)
        return head + order.long.pack(len(value)) + value
    return order.head.pack(group, number, vr.encode("ascii"), len(value)) + value
