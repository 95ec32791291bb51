"""Fuzz target: whatever a peer sends as association request or command is understood or refused."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator

from serment.core.dicom import dimse, pdu
from serment.entrypoints.dimse.negotiation import find_rejection, negotiate
from serment.errors import FormatError

CT, EXPLICIT = b"1.2.840.10008.5.1.4.1.1.2", b"1.2.840.10008.1.2.1"


def item(kind: int, value: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(value)) + value


def seeds() -> Iterator[bytes]:
    """A request with every item there is, and a C-STORE-RQ."""
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
    yield fixed + item(0x10, b"1.2.840.10008.3.1.1.1") + context + item(0x50, user)
    values = {2: CT + b"\0", 0x100: b"\1\0", 0x110: b"\7\0", 0x800: b"\1\0", 0x1000: b"2.25.1"}
    yield b"".join(struct.pack("<HHI", 0, n, len(v)) + v for n, v in values.items())


def fuzz_one(data: bytes) -> None:
    """Anything but `FormatError` is a fault, and so is an answer longer than it may be."""
    with contextlib.suppress(FormatError):
        request = pdu.parse_associate_request(data)
        find_rejection(request)
        agreed = negotiate(request)
        answer = pdu.build_associate_accept(request, agreed.replies, 131072, agreed.roles)
        assert answer[2:6] == (len(answer) - 6).to_bytes(4, "big")
        assert set(agreed.contexts) <= {c.id for c in request.contexts}
    with contextlib.suppress(FormatError):
        command = dimse.parse_command(data)
        response = dimse.build_response(command, dimse.Status.SUCCESS, data.decode("latin-1"))
        # What we write, we read: a response has no message id of its own.
        assert response[:8] == b"\0\0\0\0\4\0\0\0"
        assert int.from_bytes(response[8:12], "little") == len(response) - 12
