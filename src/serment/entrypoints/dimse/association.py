"""One association from its request to its end: the upper layer's state machine as a provider.

PS3.8 section 9.2 in the order a C-STORE or C-ECHO user goes through it: request, answer, messages,
release. Anything else ends with A-ABORT and its reason. Leaves to others: reading bytes (`wire`),
what is accepted (`negotiation`), messages (`messages`), who may (`Receiver`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from serment.core.dicom.pdu import (
    FRAGMENT,
    HEADER,
    AbortReason,
    AssociateRequest,
    PduType,
    Rejection,
    build_abort,
    build_associate_accept,
    build_associate_reject,
    build_release_reply,
    parse_associate_request,
    title_of,
)
from serment.core.records.vault import Device
from serment.entrypoints.dimse.limits import Limits
from serment.entrypoints.dimse.messages import Messages, ProtocolError
from serment.entrypoints.dimse.negotiation import find_rejection, negotiate
from serment.entrypoints.dimse.wire import PeerGone, Stopping, TooSlow, Wire
from serment.errors import N_, AccessDenied, FormatError, SermentError
from serment.ports import Receiver, Source

_HEAD: Final = HEADER.size + 4  # every unit but P-DATA is that long; P-DATA has a length there
_TOLERANCE: Final = FRAGMENT.size + HEADER.size  # some peers do not count the headers
_STEP: Final = 16 * 1024

TOO_MANY: Final = N_("too many associations at once")


@dataclass(frozen=True, slots=True)
class Ends:
    """Who is connected to what."""

    address: str  # of the peer, without port
    peer: str
    local: str
    tls: bool = False


class Association:
    """Runs one association in the thread that calls `run`."""

    def __init__(
        self,
        wire: Wire,
        ends: Ends,
        receiver: Receiver,
        limits: Limits,
        is_stopping: Callable[[], bool],
    ) -> None:
        self._wire, self._ends, self._receiver = wire, ends, receiver
        self._limits, self._is_stopping = limits, is_stopping
        self._calling = self._called = ""
        self._messages: Messages | None = None
        self._unit = memoryview(b"")  # as long as the longest P-DATA-TF so far

    def run(self) -> None:
        """Serve the peer until it leaves, misbehaves or the server stops."""
        interrupted = True
        try:
            if self._associate():
                interrupted = self._serve()
        except ProtocolError as error:
            self._end(build_abort(error.reason), error.message)
        except FormatError as error:
            self._end(build_abort(AbortReason.INVALID_PARAMETER), error.message)
        except TooSlow:
            self._end(build_abort(AbortReason.NOT_SPECIFIED), N_("the caller was too slow"))
        except Stopping:
            self._end(build_abort(), "")
        except PeerGone:
            pass
        finally:
            # Its messages and their buffers lead back here: gone now, not when a collector comes.
            messages, self._messages = self._messages, None
            try:
                if messages is not None:
                    messages.close(interrupted)
            finally:
                self._wire.finish()

    def turn_away(self) -> None:
        """Read the request only to answer that there are too many (PS3.8 Table 9-21)."""
        try:
            self._note_titles(self._request())
            self._reject(Rejection.LOCAL_LIMIT, TOO_MANY)
        except (ProtocolError, FormatError, TooSlow, Stopping, PeerGone):
            self._refused(TOO_MANY)
        finally:
            self._wire.finish()

    # Association establishment

    def _associate(self) -> bool:
        request = self._request()
        self._note_titles(request)
        rejection = find_rejection(request)
        if rejection is not None:
            self._reject(*rejection)
            return False
        try:
            ends = self._ends
            device = self._receiver.admit(
                self._calling, self._called, ends.address, ends.local, ends.tls
            )
        except SermentError as error:
            # The receiver has journalled why.
            self._wire.send(build_associate_reject(_rejection_of(error)))
            return False
        agreed = negotiate(request)
        self._wire.send(
            build_associate_accept(request, agreed.replies, self._limits.unit_bytes, agreed.roles)
        )
        self._messages = Messages(
            self._wire,
            self._limits,
            agreed.contexts,
            request.max_length,
            lambda: self._receiver.open(self._source(device)),
        )
        return True

    def _request(self) -> AssociateRequest:
        deadline = self._wire.now() + self._limits.association_seconds
        head = bytearray(HEADER.size)
        self._wire.read_into(memoryview(head), deadline, idle=True)
        kind, length = HEADER.unpack(head)
        if kind != PduType.ASSOCIATE_RQ:
            raise ProtocolError(
                AbortReason.UNEXPECTED_PDU
                if kind in set(PduType)
                else AbortReason.UNRECOGNIZED_PDU,
                N_("the caller did not begin with a DICOM association request"),
            )
        if length > self._limits.request_bytes:
            raise ProtocolError(
                AbortReason.INVALID_PARAMETER, N_("the association request is too long")
            )
        body = bytearray()
        while len(body) < length:
            piece = bytearray(min(_STEP, length - len(body)))
            self._wire.read_into(memoryview(piece), deadline)
            body += piece
        return parse_associate_request(body)

    def _note_titles(self, request: AssociateRequest) -> None:
        self._calling = title_of(request.calling) or ""
        self._called = title_of(request.called) or ""

    def _source(self, device: Device) -> Source:
        ends = self._ends
        return Source("dicom", device.id, device.circle, ends.peer, ends.local, ends.tls)

    # Data transfer and release

    def _serve(self) -> bool:
        """Serve messages until the end; whether it was not a proper one."""
        assert self._messages is not None
        head = bytearray(_HEAD)
        view = memoryview(head)
        while True:
            self._next_head(view)
            kind, length = HEADER.unpack_from(head)
            if kind == PduType.DATA:
                self._data(length, view[HEADER.size :])
            elif kind == PduType.RELEASE_RQ:
                cut_short = self._messages.under_way
                self._messages.close(cut_short)
                self._wire.send(build_release_reply())
                return cut_short
            elif kind == PduType.ABORT:
                return True
            elif kind in set(PduType):
                raise ProtocolError(
                    AbortReason.UNEXPECTED_PDU, N_("the caller sent a unit out of order")
                )
            else:
                raise ProtocolError(
                    AbortReason.UNRECOGNIZED_PDU, N_("the caller sent an unknown kind of unit")
                )

    def _next_head(self, view: memoryview) -> None:
        assert self._messages is not None
        now = self._wire.now()
        if self._messages.under_way:
            self._messages.check_rate(now)
        elif self._is_stopping():
            raise Stopping
        self._wire.quick_ack()
        self._wire.read_into(
            view, now + self._limits.idle_seconds, idle=not self._messages.under_way
        )

    def _data(self, length: int, begin: memoryview) -> None:
        """The fragments of one P-DATA-TF, of which the first four bytes are read already."""
        assert self._messages is not None
        if length > self._limits.unit_bytes + _TOLERANCE:
            raise ProtocolError(
                AbortReason.INVALID_PARAMETER, N_("the caller sent a unit longer than agreed")
            )
        size = _fitting(begin, length)
        if length > len(self._unit):
            self._unit = memoryview(bytearray(length))
        unit = self._unit[:length]
        self._wire.read_into(unit[4:], self._wire.now() + self._limits.unit_seconds)
        at = 4
        while True:
            self._messages.fragment(unit[at : at + size])
            at += size
            if at == length:
                return
            size = _fitting(unit[at : at + 4], length - at)
            at += 4

    # Endings

    def _reject(self, rejection: Rejection, reason: str) -> None:
        self._refused(reason)
        self._wire.send(build_associate_reject(rejection))

    def _end(self, abort: bytes, reason: str) -> None:
        if reason:
            self._refused(reason)
        with contextlib.suppress(PeerGone):
            self._wire.send(abort)

    def _refused(self, reason: str) -> None:
        ends = self._ends
        self._receiver.refused(
            self._calling, self._called, ends.address, reason, ends.local, ends.tls
        )


def _fitting(head: memoryview, left: int) -> int:
    """The length of the next fragment, which fits into the `left` bytes of its unit."""
    size = int.from_bytes(head, "big")
    if not 2 <= size <= left - 4:
        raise ProtocolError(
            AbortReason.INVALID_PARAMETER, N_("the caller sent a fragment that does not fit")
        )
    return size


def _rejection_of(error: SermentError) -> Rejection:
    """AccessDenied is permanent, and names the title that is wrong; anything else may pass."""
    if not isinstance(error, AccessDenied):
        return Rejection.NOT_NOW
    if error.values.get("wrong") == "called":
        return Rejection.CALLED_AE_TITLE
    return Rejection.CALLING_AE_TITLE
