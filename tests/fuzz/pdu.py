"""Fuzz target: whatever a peer sends as association request or command is understood or refused."""

from __future__ import annotations

import contextlib

from serment.core.dicom import dimse, pdu
from serment.entrypoints.dimse.negotiation import find_rejection, negotiate
from serment.errors import FormatError


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
