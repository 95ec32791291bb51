"""The requestor's side of an association: what is asked for, and the answer read (PS3.8 9.3).

For the audit, which asks several SOP classes at once and never stores. The answer comes from a
stranger: every length is checked against what is there. The provider's side is `pdu`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from serment.core.dicom.known import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from serment.core.dicom.pdu import (
    APPLICATION_CONTEXT,
    DEFAULT_MAX_LENGTH,
    FRAGMENT,
    HEADER,
    LAST,
    PROTOCOL_VERSION,
    ContextReply,
    ContextResult,
    PduType,
    PresentationContext,
)
from serment.errors import N_, FormatError

MAX_ITEMS: Final = 300  # 128 contexts and a few more
_FIXED: Final = struct.Struct(">H2x16s16s32x")
_ITEM: Final = struct.Struct(">BxH")
_REJECT: Final = struct.Struct(">xBBB")
_APPLICATION, _CONTEXT_RQ, _CONTEXT_AC = 0x10, 0x20, 0x21
_ABSTRACT, _TRANSFER, _USER = 0x30, 0x40, 0x50
_MAX_LENGTH, _CLASS_UID, _VERSION_NAME = 0x51, 0x52, 0x55


@dataclass(frozen=True, slots=True)
class AssociateAccept:
    """A-ASSOCIATE-AC: the replies, and what the peer says of its implementation."""

    replies: tuple[ContextReply, ...]
    max_length: int = DEFAULT_MAX_LENGTH
    implementation_class: str = ""
    implementation_version: str = ""


def build_associate_request(
    called: str, calling: str, contexts: Sequence[PresentationContext], max_length: int
) -> bytes:
    """A-ASSOCIATE-RQ (PS3.8 9.3.2).

    Args:
        called, calling: at most 16 characters of ASCII.
        max_length: the longest P-DATA unit that will be read.
    """
    body = _FIXED.pack(PROTOCOL_VERSION, _title(called), _title(calling))
    body += _item(_APPLICATION, APPLICATION_CONTEXT.encode("ascii"))
    for each in contexts:
        syntaxes = b"".join(_item(_TRANSFER, uid.encode("ascii")) for uid in each.transfer_syntaxes)
        abstract = _item(_ABSTRACT, each.abstract_syntax.encode("ascii"))
        body += _item(_CONTEXT_RQ, bytes([each.id, 0, 0, 0]) + abstract + syntaxes)
    user = _item(_MAX_LENGTH, struct.pack(">I", max_length))
    user += _item(_CLASS_UID, IMPLEMENTATION_CLASS_UID.encode("ascii"))
    user += _item(_VERSION_NAME, IMPLEMENTATION_VERSION_NAME.encode("ascii"))
    body += _item(_USER, user)
    return HEADER.pack(PduType.ASSOCIATE_RQ, len(body)) + body


def parse_associate_accept(untrusted: bytes) -> AssociateAccept:
    """Read an A-ASSOCIATE-AC without its 6-byte PDU header (PS3.8 9.3.3).

    Raises:
        FormatError: a length that does not fit, or no presentation context at all.
    """
    replies: list[ContextReply] = []
    user: dict[int, bytes] = {}
    for kind, value in _items(untrusted[68:]):
        if kind == _CONTEXT_AC and len(value) >= 4:
            replies.append(_reply(value))
        elif kind == _USER:
            user = dict(_items(value))
    if not replies:
        raise _malformed()
    length = user.get(_MAX_LENGTH, b"")
    return AssociateAccept(
        tuple(replies),
        int.from_bytes(length, "big") if len(length) == 4 else DEFAULT_MAX_LENGTH,
        _text(user.get(_CLASS_UID, b"")),
        _text(user.get(_VERSION_NAME, b"")),
    )


def parse_associate_reject(untrusted: bytes) -> tuple[int, int, int]:
    """(result, source, reason) of an A-ASSOCIATE-RJ's body (PS3.8 Table 9-21).

    Raises:
        FormatError: it is cut short.
    """
    if len(untrusted) < _REJECT.size:
        raise _malformed()
    result, source, reason = _REJECT.unpack_from(untrusted)
    return result, source, reason


def build_data(context_id: int, data_set: bytes) -> bytes:
    """One P-DATA-TF unit with a whole small data set (PS3.8 9.3.5)."""
    value = FRAGMENT.pack(len(data_set) + 2, context_id, LAST) + data_set
    return HEADER.pack(PduType.DATA, len(value)) + value


def fragments(untrusted: bytes) -> Iterator[tuple[int, int, bytes]]:
    """The fragments of one P-DATA-TF body: context id, control header, bytes (PS3.8 E.2).

    Raises:
        FormatError: a length that does not fit.
    """
    position = 0
    while position < len(untrusted):
        if position + FRAGMENT.size > len(untrusted):
            raise _malformed()
        length, context, control = FRAGMENT.unpack_from(untrusted, position)
        end = position + 4 + length
        if length < 2 or end > len(untrusted):
            raise _malformed()
        yield context, control, untrusted[position + FRAGMENT.size : end]
        position = end


def _reply(value: bytes) -> ContextReply:
    try:
        result = ContextResult(value[2])
    except ValueError:
        result = ContextResult.NO_REASON
    syntax = dict(_items(value[4:])).get(_TRANSFER, b"")
    return ContextReply(value[0], result, _text(syntax))


def _items(data: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    for _ in range(MAX_ITEMS):
        if position == len(data):
            return
        if position + _ITEM.size > len(data):
            raise _malformed()
        kind, length = _ITEM.unpack_from(data, position)
        position += _ITEM.size
        if length > len(data) - position:
            raise _malformed()
        yield kind, data[position : position + length]
        position += length
    raise _malformed()


def _item(kind: int, value: bytes) -> bytes:
    return _ITEM.pack(kind, len(value)) + value


def _title(text: str) -> bytes:
    return text.encode("ascii", "replace")[:16].ljust(16)


def _text(value: bytes) -> str:
    return value.decode("latin-1").strip(" \0")


def _malformed() -> FormatError:
    return FormatError(
        N_("the association's answer is not one of the standard"),
        hint=N_("the peer does not speak DICOM correctly; see what is at that address"),
    )
