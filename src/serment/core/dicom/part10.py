"""Reads and writes what stands in front of a stored data set: preamble and file meta information.

Source: DICOM PS3.10 section 7.1. The data set itself is `walker`'s work.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import Final

from serment.core.dicom import uids
from serment.core.dicom.syntax import LONG
from serment.core.dicom.walker import Bytes
from serment.errors import N_, FormatError

PREAMBLE: Final = bytes(128) + b"DICM"
MAX_META: Final = 64 << 10  # bytes of file meta information; real ones have some hundred

_HEAD: Final = Struct("<HH2sH")
_LENGTH: Final = Struct("<I")
_GROUP: Final = 0x0002
_HINT: Final = N_("only DICOM files (Part 10) can be kept; export the study again as DICOM files")


@dataclass(frozen=True, slots=True)
class Meta:
    """File meta information; an absent UID is empty, except the transfer syntax."""

    transfer_syntax: str
    sop_class: str
    sop_instance: str
    dataset_offset: int  # bytes of the file in front of the data set


def read_meta(data: Bytes) -> Meta:
    """Read the file meta information at the start of a DICOM file.

    Raises:
        FormatError: no preamble, damaged, or without a well-formed transfer syntax.
    """
    head = bytes(memoryview(data)[: len(PREAMBLE) + MAX_META])
    if head[128:132] != b"DICM":
        raise FormatError(
            N_("not a DICOM file: the letters DICM are missing at byte 128"), hint=_HINT
        )
    values, end = _meta_elements(head)
    transfer_syntax = _uid(values, 0x0010)
    if not uids.is_uid(transfer_syntax):
        raise FormatError(N_("the DICOM file does not say its transfer syntax"), hint=_HINT)
    return Meta(transfer_syntax, _uid(values, 0x0002), _uid(values, 0x0003), end)


def _meta_elements(head: bytes) -> tuple[dict[int, bytes], int]:
    """Return the values of group 2 by element number, and where it ends.

    The announced group length is believed only when an element ends there: it tells the data set
    apart from the group when a deflated one happens to start with the bytes 02 00.
    """
    values: dict[int, bytes] = {}
    position, announced = len(PREAMBLE), -1
    while position + 8 <= len(head) and position != announced:
        group, number, code, length = _HEAD.unpack_from(head, position)
        if group != _GROUP:
            break
        start = position + 8
        if code in LONG:
            if start + 4 > len(head):
                raise _cut_short()
            length, start = _LENGTH.unpack_from(head, start)[0], start + 4
        if start + length > len(head):
            raise _cut_short()
        values[number] = head[start : start + length]
        position = start + length
        if number == 0 and length == 4:
            announced = position + _LENGTH.unpack(values[0])[0]
    return values, position


def _cut_short() -> FormatError:
    return FormatError(
        N_("the file meta information is cut short or larger than {limit} bytes"),
        limit=MAX_META,
        hint=_HINT,
    )


def _uid(values: dict[int, bytes], number: int) -> str:
    return values.get(number, b"").decode("ascii", errors="replace").strip(" \0")


def build_meta(sop_class: str, sop_instance: str, transfer_syntax: str) -> bytes:
    """Return preamble and file meta information for a data set that came without them.

    Raises:
        FormatError: one of the three is not a UID.
    """
    if not all(uids.is_uid(uid) for uid in (sop_class, sop_instance, transfer_syntax)):
        raise FormatError(N_("the object is not announced with well-formed UIDs"), hint=_HINT)
    body = b"".join(
        (
            b"\x02\x00\x01\x00OB\x00\x00\x02\x00\x00\x00\x00\x01",
            _ui(0x0002, sop_class),
            _ui(0x0003, sop_instance),
            _ui(0x0010, transfer_syntax),
            _ui(0x0012, uids.IMPLEMENTATION_CLASS_UID),
            _element(0x0013, b"SH", uids.IMPLEMENTATION_VERSION_NAME.encode("ascii"), b" "),
        )
    )
    return PREAMBLE + _element(0x0000, b"UL", _LENGTH.pack(len(body)), b"") + body


def _ui(number: int, uid: str) -> bytes:
    return _element(number, b"UI", uid.encode("ascii"), b"\0")


def _element(number: int, vr: bytes, value: bytes, padding: bytes) -> bytes:
    if len(value) & 1:
        value += padding
    return _HEAD.pack(_GROUP, number, vr, len(value)) + value
