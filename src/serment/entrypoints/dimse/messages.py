"""Messages on an established association: C-ECHO answered, C-STORE handed to a reception.

Each fragment goes on to the reception as it comes (PS3.8 Annex E, PS3.7 6.3); a success is answered
only once the reception says that the object is durable. Leaves to others: units, release, aborts
(`association`), storing (`Reception`).
"""

from __future__ import annotations

from collections.abc import Callable

from serment.core.dicom.dimse import (
    RESPONSE,
    VERIFICATION,
    Command,
    CommandField,
    Status,
    build_response,
    parse_command,
    status_of,
)
from serment.core.dicom.part10 import build_meta
from serment.core.dicom.pdu import COMMAND, LAST, AbortReason, build_command
from serment.entrypoints.assembly import Assembly
from serment.entrypoints.dimse.limits import Limits
from serment.entrypoints.dimse.wire import TooSlow, Wire
from serment.errors import N_, SermentError
from serment.ports import Reception

Answer = tuple[Status, str]  # and why, for a failure


class ProtocolError(Exception):
    """The peer broke the rules of the upper layer: A-ABORT with this reason."""

    def __init__(self, reason: AbortReason, message: str) -> None:
        super().__init__(message)
        self.reason, self.message = reason, message


class Messages:
    """The messages of one association, fragment by fragment."""

    def __init__(
        self,
        wire: Wire,
        limits: Limits,
        contexts: dict[int, tuple[str, str]],
        peer_unit_bytes: int,
        open_reception: Callable[[], Reception],
    ) -> None:
        """
        Args:
            contexts: accepted ones, id -> (abstract syntax, transfer syntax).
            peer_unit_bytes: the longest unit the peer takes; 0 = any.
        """
        self._wire, self._limits, self._contexts = wire, limits, contexts
        self._peer_unit_bytes = peer_unit_bytes
        self._open_reception = open_reception
        self._reception: Reception | None = None
        self._objects: Assembly | None = None
        self._command_bytes = bytearray()
        self._command: Command | None = None  # set while its data set is awaited
        self._answer: Answer | None = None  # decided before the data set came
        self._context = 0  # id of the message under way
        self._began = 0.0
        self._received = 0

    @property
    def under_way(self) -> bool:
        """Whether a message has begun and is not complete."""
        return self._command is not None or len(self._command_bytes) > 0

    def check_rate(self, now: float) -> None:
        """`TooSlow` when the message under way has come too slowly for too long."""
        slack = self._limits.unit_seconds + self._received / self._limits.slowest_rate
        if now - self._began > slack:
            raise TooSlow

    def fragment(self, fragment: memoryview) -> None:
        """Take one fragment: context id, control header and its bytes (PS3.8 9.3.5.1)."""
        context, control, data = fragment[0], fragment[1], fragment[2:]
        is_command = self._command is None
        if not self.under_way:
            self._began, self._received = self._wire.now(), 0
        self._check(context, bool(control & COMMAND), is_command)
        if is_command:
            self._add_to_command(data, bool(control & LAST))
        elif self._answer is None and self._objects is not None:
            self._objects.write(data)
        self._received += len(fragment)
        if control & LAST:
            self._complete(is_command)

    def close(self, interrupted: bool) -> None:
        """The association is over; harmless when said twice."""
        objects, reception = self._objects, self._reception
        self._objects = self._reception = None
        if objects is not None:
            objects.abandon()
        if reception is not None:
            reception.close(interrupted)

    def _add_to_command(self, data: memoryview, last: bool) -> None:
        if len(self._command_bytes) + len(data) > self._limits.command_bytes:
            raise ProtocolError(
                AbortReason.INVALID_PARAMETER, N_("the caller sent a command that is too long")
            )
        if not data and not last:
            raise ProtocolError(
                AbortReason.INVALID_PARAMETER, N_("the caller sent an empty fragment")
            )
        self._command_bytes += data

    def _check(self, context: int, is_command: bool, expects_command: bool) -> None:
        begins = expects_command and not len(self._command_bytes)
        if context not in self._contexts or (not begins and context != self._context):
            raise ProtocolError(
                AbortReason.INVALID_PARAMETER,
                N_("the caller used a presentation context that was not agreed"),
            )
        if is_command != expects_command:
            raise ProtocolError(
                AbortReason.UNEXPECTED_PARAMETER,
                N_("the caller mixed fragments of command and data set"),
            )
        self._context = context

    def _complete(self, is_command: bool) -> None:
        if not is_command:
            assert self._command is not None
            command, self._command = self._command, None
            self._reply(command, self._answer or self._store())
            if self._reception is not None:
                self._reception.prepare()
            return
        command = parse_command(self._command_bytes)
        self._command_bytes.clear()
        if command.field & RESPONSE:
            raise ProtocolError(
                AbortReason.UNEXPECTED_PARAMETER, N_("the caller answered what nobody asked")
            )
        if command.field == CommandField.C_CANCEL_RQ:
            return  # nothing here lasts long enough to be cancelled; it has no answer
        self._answer = self._answer_now(command)
        if command.has_data_set:
            self._command = command
        elif self._answer is not None:
            self._reply(command, self._answer)

    def _answer_now(self, command: Command) -> Answer | None:
        """The answer that the command alone decides; None when its data set will be stored."""
        abstract, syntax = self._contexts[self._context]
        if command.field == CommandField.C_ECHO_RQ and abstract == VERIFICATION:
            return Status.SUCCESS, ""
        if command.field != CommandField.C_STORE_RQ or abstract == VERIFICATION:
            return Status.UNRECOGNISED_OPERATION, N_("only C-ECHO and C-STORE are served here")
        if command.sop_class != abstract:
            return Status.CLASS_NOT_SUPPORTED, N_("the SOP class is not the one agreed on")
        if not command.sop_instance:
            return Status.INVALID_INSTANCE, N_("the SOP Instance UID is missing or malformed")
        if not command.has_data_set:
            return Status.NOT_UNDERSTOOD, N_("the C-STORE request has no data set")
        try:
            self._begin(command, syntax)
        except SermentError as error:
            return status_of(error), str(error)
        return None

    def _begin(self, command: Command, transfer_syntax: str) -> None:
        if self._objects is None:
            self._reception = self._open_reception()
            self._objects = Assembly(self._reception, self._limits.object_bytes)
        meta = build_meta(command.sop_class, command.sop_instance, transfer_syntax)
        self._objects.write(meta)

    def _store(self) -> Answer:
        assert self._objects is not None
        assert self._reception is not None
        try:
            self._objects.finish()
            self._reception.sync()
        except SermentError as error:
            return status_of(error), str(error)
        return Status.SUCCESS, ""

    def _reply(self, command: Command, answer: Answer) -> None:
        self._answer = None
        response = build_response(command, *answer)
        self._wire.send(build_command(self._context, response, self._peer_unit_bytes))
