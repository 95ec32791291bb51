"""DIMSE command sets: how C-ECHO and C-STORE requests are read and answered (PS3.7 9.1, 9.3, E).

A command set is always Implicit VR Little Endian (PS3.7 6.3.1). Also the one table that turns an
error of ours into a status of the standard, used by C-STORE and by STOW-RS. Leaves to others:
fragments, contexts, and storing.
"""

from __future__ import annotations

import struct
import unicodedata
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from serment.core.dicom.uids import is_uid
from serment.errors import (
    N_,
    AccessDenied,
    FormatError,
    Mismatch,
    NoSpace,
    SermentError,
    Unavailable,
)

VERIFICATION: Final = "1.2.840.10008.1.1"
NO_DATA_SET: Final = 0x0101
RESPONSE: Final = 0x8000  # bit 15 of the command field
COMMENT_LENGTH: Final = 64  # VR LO

_ELEMENT: Final = struct.Struct("<HHI")
_US: Final = struct.Struct("<H")
_MAX_ELEMENTS: Final = 64


class CommandField(IntEnum):
    """Command Field (0000,0100) values met here (PS3.7 E.1)."""

    C_STORE_RQ = 0x0001
    C_ECHO_RQ = 0x0030
    C_CANCEL_RQ = 0x0FFF


class Status(IntEnum):
    """Status (0000,0900): PS3.7 Annex C, PS3.4 B.2.3; the same numbers are STOW-RS reasons."""

    SUCCESS = 0x0000
    PROCESSING_FAILURE = 0x0110
    INVALID_INSTANCE = 0x0117
    CLASS_NOT_SUPPORTED = 0x0122
    NOT_AUTHORISED = 0x0124
    UNRECOGNISED_OPERATION = 0x0211
    OUT_OF_RESOURCES = 0xA700
    MISMATCH = 0xA900
    NOT_UNDERSTOOD = 0xC000


class _Element(IntEnum):
    AFFECTED_SOP_CLASS = 0x0002
    COMMAND_FIELD = 0x0100
    MESSAGE_ID = 0x0110
    MESSAGE_ID_RESPONDED_TO = 0x0120
    DATA_SET_TYPE = 0x0800
    STATUS = 0x0900
    ERROR_COMMENT = 0x0902
    AFFECTED_SOP_INSTANCE = 0x1000


@dataclass(frozen=True, slots=True)
class Command:
    """One request; UIDs are empty when absent or not well formed."""

    field: int
    message_id: int
    has_data_set: bool
    sop_class: str = ""
    sop_instance: str = ""


def parse_command(data: bytes | bytearray | memoryview) -> Command:
    """Read a command set.

    Raises:
        FormatError: elements that do not fit, outside group 0000, or a required one missing.
    """
    raw = bytes(data)
    found: dict[int, bytes] = {}
    position = 0
    while position < len(raw):
        if position + _ELEMENT.size > len(raw) or len(found) >= _MAX_ELEMENTS:
            raise _malformed(N_("the DICOM command has an element cut short, or too many of them"))
        group, element, length = _ELEMENT.unpack_from(raw, position)
        position += _ELEMENT.size
        if group or length > len(raw) - position:
            raise _malformed(
                N_("the DICOM command has an element of another group, or longer than the set")
            )
        found[element] = raw[position : position + length]
        position += length
    field = _number(found, _Element.COMMAND_FIELD)
    return Command(
        field,
        # A C-CANCEL names the message it cancels instead of having an id of its own.
        0 if field == CommandField.C_CANCEL_RQ else _number(found, _Element.MESSAGE_ID),
        _number(found, _Element.DATA_SET_TYPE) != NO_DATA_SET,
        _uid(found.get(_Element.AFFECTED_SOP_CLASS, b"")),
        _uid(found.get(_Element.AFFECTED_SOP_INSTANCE, b"")),
    )


def build_response(command: Command, status: Status, comment: str = "") -> bytes:
    """The response command set to a request, without a data set.

    Args:
        comment: why, for a failure; folded to ASCII and cut to 64 characters.
    """
    elements = []
    if command.sop_class:
        elements.append(_element(_Element.AFFECTED_SOP_CLASS, _padded(command.sop_class)))
    elements += [
        _element(_Element.COMMAND_FIELD, _US.pack(command.field | RESPONSE)),
        _element(_Element.MESSAGE_ID_RESPONDED_TO, _US.pack(command.message_id)),
        _element(_Element.DATA_SET_TYPE, _US.pack(NO_DATA_SET)),
        _element(_Element.STATUS, _US.pack(status)),
    ]
    if comment:
        text = comment_of(comment).encode("ascii")
        elements.append(_element(_Element.ERROR_COMMENT, text + b" " * (len(text) % 2)))
    if command.sop_instance:
        elements.append(_element(_Element.AFFECTED_SOP_INSTANCE, _padded(command.sop_instance)))
    body = b"".join(elements)
    return _element(0, struct.pack("<I", len(body))) + body


def status_of(error: SermentError) -> Status:
    """The status that tells a sender what an error of ours means (PS3.4 B.2.3, PS3.18 10.5.3)."""
    for kind, status in _STATUSES:
        if isinstance(error, kind):
            return status
    return Status.PROCESSING_FAILURE


_STATUSES: Final[tuple[tuple[type[SermentError], Status], ...]] = (
    (NoSpace, Status.OUT_OF_RESOURCES),
    (Mismatch, Status.MISMATCH),
    (FormatError, Status.NOT_UNDERSTOOD),
    (AccessDenied, Status.NOT_AUTHORISED),
    (Unavailable, Status.OUT_OF_RESOURCES),
)


def comment_of(text: str) -> str:
    """Plain ASCII of at most 64 characters, cut between words, for Error Comment (0000,0902)."""
    folded = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    words = "".join(c if c.isprintable() and c != "\\" else " " for c in folded).split()
    line = " ".join(words)
    if len(line) <= COMMENT_LENGTH:
        return line
    head, space, _tail = line[: COMMENT_LENGTH + 1].rpartition(" ")
    return head if space else line[:COMMENT_LENGTH]


def _number(found: dict[int, bytes], element: _Element) -> int:
    value = found.get(element, b"")
    if len(value) != _US.size:
        raise _malformed(N_("the DICOM command lacks a required number"))
    number: int = _US.unpack(value)[0]
    return number


def _uid(value: bytes) -> str:
    text = value.decode("latin-1").strip(" \0")
    return text if is_uid(text) else ""


def _padded(uid: str) -> bytes:
    raw = uid.encode("ascii")
    return raw + b"\0" * (len(raw) % 2)


def _element(element: int, value: bytes) -> bytes:
    return _ELEMENT.pack(0, element, len(value)) + value


def _malformed(message: str) -> FormatError:
    return FormatError(
        message, hint=N_("the peer does not speak DICOM correctly; see what is at that address")
    )
