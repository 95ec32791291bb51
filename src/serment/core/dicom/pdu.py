"""The DICOM upper layer's protocol data units: how they are read and written (PS3.8 section 9.3).

Every length is checked against the bytes that are really there; nothing is allocated because a
peer announced it. Leaves to others: reading from a connection, whom to accept, what a message in a
P-DATA unit means (`core.dicom.dimse`).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Final

from serment.core.dicom.known import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from serment.errors import N_, FormatError

HEADER: Final = struct.Struct(">BxI")  # type, length of what follows (PS3.8 9.3.1)
FRAGMENT: Final = struct.Struct(">IBB")  # PDV: length, context id, control header (PS3.8 9.3.5.1)

APPLICATION_CONTEXT: Final = "1.2.840.10008.3.1.1.1"
PROTOCOL_VERSION: Final = 1  # bit 0 (PS3.8 9.3.2)
DEFAULT_MAX_LENGTH: Final = 16384  # for a peer that does not say what it takes

COMMAND: Final = 1  # bits of the message control header (PS3.8 E.2)
LAST: Final = 2

_FIXED: Final = struct.Struct(">H2x16s16s32s")  # A-ASSOCIATE after the PDU header
_ITEM: Final = struct.Struct(">BxH")
_SHORT: Final = struct.Struct(">H")
_LONG: Final = struct.Struct(">I")


class PduType(IntEnum):
    """First byte of a PDU (PS3.8 9.3.1)."""

    ASSOCIATE_RQ = 1
    ASSOCIATE_AC = 2
    ASSOCIATE_RJ = 3
    DATA = 4
    RELEASE_RQ = 5
    RELEASE_RP = 6
    ABORT = 7


class _Item(IntEnum):
    APPLICATION_CONTEXT = 0x10
    CONTEXT_RQ = 0x20
    CONTEXT_AC = 0x21
    ABSTRACT_SYNTAX = 0x30
    TRANSFER_SYNTAX = 0x40
    USER_INFORMATION = 0x50
    MAX_LENGTH = 0x51
    IMPLEMENTATION_CLASS = 0x52
    ASYNCHRONOUS = 0x53
    ROLE = 0x54
    IMPLEMENTATION_VERSION = 0x55


class ContextResult(IntEnum):
    """What became of one presentation context (PS3.8 Table 9-18)."""

    ACCEPTED = 0
    USER_REJECTION = 1
    NO_REASON = 2
    ABSTRACT_SYNTAX_NOT_SUPPORTED = 3
    TRANSFER_SYNTAXES_NOT_SUPPORTED = 4


class Rejection(Enum):
    """A-ASSOCIATE-RJ: (result, source, reason) (PS3.8 Table 9-21)."""

    APPLICATION_CONTEXT = (1, 1, 2)
    CALLING_AE_TITLE = (1, 1, 3)
    CALLED_AE_TITLE = (1, 1, 7)
    PROTOCOL_VERSION = (1, 2, 2)
    NOT_NOW = (2, 1, 1)  # transient, no reason given
    TEMPORARY_CONGESTION = (2, 3, 1)
    LOCAL_LIMIT = (2, 3, 2)


class AbortReason(IntEnum):
    """A-ABORT by the service provider (PS3.8 Table 9-26)."""

    NOT_SPECIFIED = 0
    UNRECOGNIZED_PDU = 1
    UNEXPECTED_PDU = 2
    UNRECOGNIZED_PARAMETER = 4
    UNEXPECTED_PARAMETER = 5
    INVALID_PARAMETER = 6


@dataclass(frozen=True, slots=True)
class PresentationContext:
    """One proposal: an odd id, one abstract syntax, its transfer syntaxes by preference."""

    id: int
    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ContextReply:
    """The answer to one proposal; the transfer syntax counts only when it is accepted."""

    id: int
    result: ContextResult
    transfer_syntax: str


@dataclass(frozen=True, slots=True)
class Role:
    """SCP/SCU role selection for one SOP class (PS3.7 D.3.3.4); who plays what is the requestor."""

    sop_class: str
    scu: bool
    scp: bool


@dataclass(frozen=True, slots=True)
class AssociateRequest:
    """A-ASSOCIATE-RQ (PS3.8 9.3.2). Titles are the 16 bytes as they came; `operations` is the
    asynchronous window proposed (invoked, performed), None when the item is absent."""

    protocol_version: int
    called: bytes
    calling: bytes
    reserved: bytes
    application_context: str
    contexts: tuple[PresentationContext, ...]
    max_length: int = DEFAULT_MAX_LENGTH
    implementation_class: str = ""
    implementation_version: str = ""
    operations: tuple[int, int] | None = None
    roles: tuple[Role, ...] = field(default=())


def parse_associate_request(body: bytes | bytearray | memoryview) -> AssociateRequest:
    """Read an A-ASSOCIATE-RQ without its 6-byte PDU header.

    Items that the standard does not name are ignored, as it asks (PS3.8 9.3.1); user identity
    (PS3.7 D.3.3.7) and extended negotiation are read over and never kept.

    Raises:
        FormatError: a length that does not fit, a missing or doubled presentation context.
    """
    data = bytes(body)
    if len(data) < _FIXED.size:
        raise _malformed(N_("the association request is shorter than its fixed part"))
    version, called, calling, reserved = _FIXED.unpack_from(data)
    application_context = ""
    contexts: list[PresentationContext] = []
    user: dict[str, object] = {}
    for kind, value in _items(data[_FIXED.size :]):
        if kind == _Item.APPLICATION_CONTEXT:
            application_context = _uid(value)
        elif kind == _Item.CONTEXT_RQ:
            contexts.append(_context(value))
        elif kind == _Item.USER_INFORMATION:
            user = _user_information(value)
    ids = [c.id for c in contexts]
    if not ids or len(set(ids)) != len(ids):
        raise _malformed(
            N_("the association request has no presentation context, or two with one id")
        )
    return AssociateRequest(
        version,
        called,
        calling,
        reserved,
        application_context,
        tuple(contexts),
        **user,  # type: ignore[arg-type]
    )


def title_of(padded: bytes) -> str | None:
    """An AE title without its padding; None when it is empty or not plain ASCII (PS3.5 6.2)."""
    clean = padded.strip(b" \0")
    if not clean or not clean.isascii():
        return None
    text = clean.decode("ascii")
    return text if text.isprintable() and "\\" not in text else None


def build_associate_accept(
    request: AssociateRequest,
    replies: Sequence[ContextReply],
    max_length: int,
    roles: Sequence[Role] = (),
) -> bytes:
    """A-ASSOCIATE-AC (PS3.8 9.3.3): one outstanding operation each way if the peer asks."""
    items = [_item(_Item.APPLICATION_CONTEXT, APPLICATION_CONTEXT.encode("ascii"))]
    for reply in replies:
        syntax = _item(_Item.TRANSFER_SYNTAX, reply.transfer_syntax.encode("ascii"))
        items.append(_item(_Item.CONTEXT_AC, bytes([reply.id, 0, reply.result, 0]) + syntax))
    user = [
        _item(_Item.MAX_LENGTH, _LONG.pack(max_length)),
        _item(_Item.IMPLEMENTATION_CLASS, IMPLEMENTATION_CLASS_UID.encode("ascii")),
    ]
    if request.operations is not None:
        user.append(_item(_Item.ASYNCHRONOUS, struct.pack(">HH", 1, 1)))
    for role in roles:
        uid = role.sop_class.encode("ascii")
        value = _SHORT.pack(len(uid)) + uid + bytes([role.scu, role.scp])
        user.append(_item(_Item.ROLE, value))
    user.append(_item(_Item.IMPLEMENTATION_VERSION, IMPLEMENTATION_VERSION_NAME.encode("ascii")))
    items.append(_item(_Item.USER_INFORMATION, b"".join(user)))
    fixed = _FIXED.pack(PROTOCOL_VERSION, request.called, request.calling, request.reserved)
    return _pdu(PduType.ASSOCIATE_AC, fixed + b"".join(items))


def build_associate_reject(rejection: Rejection) -> bytes:
    """A-ASSOCIATE-RJ (PS3.8 9.3.4)."""
    return _pdu(PduType.ASSOCIATE_RJ, bytes([0, *rejection.value]))


def build_release_reply() -> bytes:
    """A-RELEASE-RP (PS3.8 9.3.7)."""
    return _pdu(PduType.RELEASE_RP, bytes(4))


def build_abort(reason: AbortReason | None = None) -> bytes:
    """A-ABORT (PS3.8 9.3.8): by the provider with a reason, by the user (who has none) without."""
    if reason is None:
        return _pdu(PduType.ABORT, bytes(4))
    return _pdu(PduType.ABORT, bytes([0, 0, 2, reason]))


def build_command(context_id: int, command: bytes, max_length: int) -> bytes:
    """The P-DATA-TF units of one command set, joined so that one write sends them (PS3.8 9.3.5).

    Args:
        max_length: the longest PDU the peer takes, without its 6-byte header; 0 = any.
    """
    room = max_length - FRAGMENT.size if max_length else len(command)
    room = max(room, 1)
    units = []
    for start in range(0, len(command), room):
        piece = command[start : start + room]
        control = COMMAND | (LAST if start + room >= len(command) else 0)
        units.append(_pdu(PduType.DATA, FRAGMENT.pack(len(piece) + 2, context_id, control) + piece))
    return b"".join(units)


def _pdu(kind: PduType, body: bytes) -> bytes:
    return HEADER.pack(kind, len(body)) + body


def _item(kind: _Item, value: bytes) -> bytes:
    return _ITEM.pack(kind, len(value)) + value


def _items(data: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position < len(data):
        if position + _ITEM.size > len(data):
            raise _malformed(N_("the association request has an item that is cut short"))
        kind, length = _ITEM.unpack_from(data, position)
        position += _ITEM.size
        if length > len(data) - position:
            raise _malformed(N_("the association request has an item longer than what holds it"))
        yield kind, data[position : position + length]
        position += length


def _context(value: bytes) -> PresentationContext:
    if len(value) < 4 or not value[0] & 1:
        raise _malformed(N_("the association request has a presentation context without an odd id"))
    abstract: list[str] = []
    transfer: list[str] = []
    for kind, name in _items(value[4:]):
        if kind == _Item.ABSTRACT_SYNTAX:
            abstract.append(_uid(name))
        elif kind == _Item.TRANSFER_SYNTAX:
            transfer.append(_uid(name))
    if len(abstract) != 1:
        raise _malformed(
            N_("the association request has a presentation context without one abstract syntax")
        )
    return PresentationContext(value[0], abstract[0], tuple(transfer))


def _user_information(value: bytes) -> dict[str, object]:
    found: dict[str, object] = {}
    roles: list[Role] = []
    for kind, item in _items(value):
        if kind == _Item.MAX_LENGTH:
            found["max_length"] = _max_length(item)
        elif kind == _Item.IMPLEMENTATION_CLASS:
            found["implementation_class"] = _uid(item)
        elif kind == _Item.IMPLEMENTATION_VERSION:
            found["implementation_version"] = _uid(item)
        elif kind == _Item.ASYNCHRONOUS:
            found["operations"] = _operations(item)
        elif kind == _Item.ROLE:
            roles.append(_role(item))
    found["roles"] = tuple(roles)
    return found


def _max_length(item: bytes) -> int:
    if len(item) != 4:
        raise _malformed(N_("the association request has a maximum length that is not 4 bytes"))
    length: int = _LONG.unpack(item)[0]
    if 0 < length <= FRAGMENT.size:
        raise _malformed(N_("the association request has a maximum length that leaves no room"))
    return length


def _operations(item: bytes) -> tuple[int, int]:
    if len(item) != 4:
        raise _malformed(
            N_("the association request has an asynchronous window that is not 4 bytes")
        )
    invoked, performed = struct.unpack(">HH", item)
    return invoked, performed


def _role(item: bytes) -> Role:
    length = _SHORT.unpack_from(item)[0] if len(item) >= 2 else -1
    if len(item) != length + 4:
        raise _malformed(N_("the association request has a role selection of the wrong length"))
    return Role(_uid(item[2 : 2 + length]), bool(item[-2]), bool(item[-1]))


def _uid(value: bytes) -> str:
    """Text of a UID item; what is not ASCII matches nothing known, which is all it needs."""
    return value.decode("latin-1").strip(" \0")


def _malformed(message: str) -> FormatError:
    return FormatError(
        message, hint=N_("the peer does not speak DICOM correctly; see what is at that address")
    )
