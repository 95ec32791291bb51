"""One DICOM association from the asking side: opened, asked, counted, ended. Never stores.

It reads each unit's header itself and takes nothing longer than it announced to accept, so that a
peer without end or sense costs no memory. What to ask of whom is the probe's (`probes.dicom`).
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from serment.adapters.network.line import Cut, Ended, Gone, Line
from serment.adapters.network.offers import CONTEXTS, OFFERED
from serment.core.dicom import asking
from serment.core.dicom.pdu import (
    COMMAND,
    HEADER,
    LAST,
    ContextResult,
    PduType,
    build_abort,
    build_command,
)
from serment.core.dicom.requestor import (
    AssociateAccept,
    build_associate_request,
    build_data,
    fragments,
    parse_associate_accept,
    parse_associate_reject,
)
from serment.core.exposure.findings import COUNTED_TO
from serment.core.exposure.seen import NOT_NOW, Answer

OWN_TITLE: Final = "SERMENT-AUDIT"
MAX_LENGTH: Final = 32768  # of a unit we take
_ANSWER_LIMIT: Final = 65536  # bytes of a unit before and of a message within an association
_RELEASE_SECONDS: Final = 0.5
_RELEASE: Final = HEADER.pack(PduType.RELEASE_RQ, 4) + bytes(4)
_PERMANENT: Final = 1
_PRESENTATION: Final = 3  # the source of "temporary congestion" and "local limit exceeded" alone


class Refusal(Enum):
    """Why there is no association (PS3.8 Table 9-21), as `seen.Dicom.refusal` says it."""

    CALLING = "calling"
    CALLED = "called"
    OTHER = "other"
    NOT_NOW = NOT_NOW  # transient, no place left, or aborted


@dataclass(slots=True)
class Counted:
    """How far a query came. `patients` are numbers without meaning outside this process."""

    answer: Answer = Answer.NOTHING
    answers: int = 0
    patients: set[int] = field(default_factory=set)
    unnamed: int = 0  # answers that name nobody
    capped: bool = False

    @property
    def count(self) -> int:
        return len(self.patients) + self.unnamed


class Association:
    """An accepted association; used in a `with` block, once."""

    def __init__(self, line: Line, accept: AssociateAccept) -> None:
        self._line = line
        self.accept = accept
        self._syntaxes = {
            each.id: each.transfer_syntax
            for each in accept.replies
            if each.result is ContextResult.ACCEPTED
        }
        self._message = 0
        self.is_over = False

    def __enter__(self) -> Association:
        return self

    def __exit__(self, *_: object) -> None:
        """Release it, or abort when something is still under way."""
        with contextlib.suppress(Ended):
            if self.is_over:
                self._line.send(build_abort())
            else:
                self._line.send(_RELEASE)
                self._line.budget.patience = _RELEASE_SECONDS
                self._line.exactly(HEADER.size)
        self._line.close()

    @property
    def labels(self) -> frozenset[str]:
        """What it accepts, in the words of `seen.Dicom.accepted`."""
        return frozenset(
            label for number, (_, label) in enumerate(OFFERED) if 2 * number + 1 in self._syntaxes
        )

    def accepts(self, sop_class: str) -> bool:
        return _context_of(sop_class) in self._syntaxes

    def echoes(self) -> bool:
        """Whether it answers C-ECHO (PS3.4 Annex A)."""
        context = _context_of(asking.VERIFICATION)
        if context not in self._syntaxes:
            return False
        self._message += 1
        self.is_over = True  # until the answer has come
        command = asking.build_echo(self._message)
        self._line.send(build_command(context, command, self.accept.max_length))
        reply = asking.parse_reply(self._message_part(context, is_command=True))
        self.is_over = False
        return reply.status == asking.SUCCESS

    def count(self, sop_class: str, level: str, counted: Counted) -> None:
        """Query, and count answers into `counted` until there are `COUNTED_TO` and one more.

        Args:
            level: "study", "dated study", "patient" or "worklist".
        """
        context = _context_of(sop_class)
        syntax = self._syntaxes[context]
        query = {
            "study": asking.study_query,
            "dated study": asking.dated_study_query,
            "patient": asking.patient_query,
            "worklist": asking.worklist_query,
        }[level](syntax)
        self._message += 1
        self.is_over = True  # until the last answer has come
        command = asking.build_find(sop_class, self._message)
        self._line.send(
            build_command(context, command, self.accept.max_length) + build_data(context, query)
        )
        while (answer := self._answer(context)) is not None:
            status, data_set = answer
            if status in asking.PENDING and not data_set:
                raise Cut  # answers about nothing have no end
            if status not in asking.PENDING:
                counted.answer = _meaning(status, counted)
                self.is_over = False
                return
            counted.answer = Answer.YES
            if counted.answers >= COUNTED_TO:
                counted.capped = True
                break
            counted.answers += 1
            patient = asking.whose(data_set, syntax)
            if patient is None:
                counted.unnamed += 1
            else:
                counted.patients.add(patient)
        self._line.send(build_command(context, asking.build_cancel(self._message), 0))

    def _answer(self, context: int) -> tuple[int, bytes] | None:
        """Status and data set of the next response; None when it is about something else."""
        reply = asking.parse_reply(self._message_part(context, is_command=True))
        if not reply.is_find:
            return None
        data_set = self._message_part(context, is_command=False) if reply.has_data_set else b""
        return reply.status, data_set

    def _message_part(self, context: int, is_command: bool) -> bytes:
        """A whole command or data set. `Cut` when it is too long, `Gone` for anything else."""
        part = bytearray()
        while True:
            kind, body = read_unit(self._line)
            if kind != PduType.DATA:
                raise Gone
            for which, control, piece in fragments(body):
                if which != context or bool(control & COMMAND) is not is_command:
                    raise Gone
                part += piece
                if len(part) > _ANSWER_LIMIT:
                    raise Cut
                if control & LAST:
                    return bytes(part)


def open_association(line: Line, title: str) -> Association | Refusal | None:
    """Ask for an association with this called title; None when the answer is not DICOM."""
    line.send(build_associate_request(title, OWN_TITLE, CONTEXTS, MAX_LENGTH))
    kind, length = HEADER.unpack(line.exactly(HEADER.size))
    if not _is_possible(kind, length):
        return None
    body = line.exactly(length)
    if kind == PduType.ASSOCIATE_AC:
        return Association(line, parse_associate_accept(body))
    if kind == PduType.ABORT:
        return Refusal.NOT_NOW
    return _refusal(*parse_associate_reject(body))


def read_unit(line: Line) -> tuple[int, bytes]:
    """The next unit's type and body. `Cut` when it announces more than is taken."""
    kind, length = HEADER.unpack(line.exactly(HEADER.size))
    if length > _ANSWER_LIMIT:
        raise Cut
    return kind, line.exactly(length)


def _is_possible(kind: int, length: int) -> bool:
    """Whether this can be the answer to a request: a stranger's bytes rarely look like it."""
    if kind == PduType.ASSOCIATE_AC:
        return 68 < length <= _ANSWER_LIMIT
    return kind in (PduType.ASSOCIATE_RJ, PduType.ABORT) and length == 4


def _refusal(result: int, source: int, reason: int) -> Refusal:
    if result != _PERMANENT or source == _PRESENTATION:
        return Refusal.NOT_NOW
    if source == 1:
        return {3: Refusal.CALLING, 7: Refusal.CALLED}.get(reason, Refusal.OTHER)
    return Refusal.OTHER


def _meaning(status: int, counted: Counted) -> Answer:
    if status == asking.SUCCESS or counted.answers:
        return Answer.YES
    if status in asking.OUT_OF_RESOURCES:
        return Answer.NOTHING
    return Answer.REFUSED


def _context_of(sop_class: str) -> int:
    return next(each.id for each in CONTEXTS if each.abstract_syntax == sop_class)
