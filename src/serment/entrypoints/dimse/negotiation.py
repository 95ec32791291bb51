"""Decides which contexts and roles of an association request are accepted (PS3.8 7.1, PS3.7 D.3).

Serment is a service class provider of Verification and of every storage class it knows. Whether
the caller may send at all is decided by the receiver; bytes are `core.dicom.pdu`.
"""

from __future__ import annotations

from dataclasses import dataclass

from serment.core.dicom.dimse import VERIFICATION
from serment.core.dicom.pdu import (
    APPLICATION_CONTEXT,
    PROTOCOL_VERSION,
    AssociateRequest,
    ContextReply,
    ContextResult,
    PresentationContext,
    Rejection,
    Role,
    title_of,
)
from serment.core.dicom.uids import IMPLICIT_LITTLE, STORAGE_CLASSES, TRANSFER_SYNTAXES
from serment.errors import N_


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the two sides agreed on: replies in the order of the proposals, contexts by id."""

    replies: tuple[ContextReply, ...]
    contexts: dict[int, tuple[str, str]]  # id -> (abstract syntax, transfer syntax)
    roles: tuple[Role, ...]


def find_rejection(request: AssociateRequest) -> tuple[Rejection, str] | None:
    """Why the request itself cannot be accepted, in the standard's terms and in plain words."""
    if not request.protocol_version & PROTOCOL_VERSION:
        return Rejection.PROTOCOL_VERSION, N_("unknown version of the DICOM upper layer protocol")
    if request.application_context != APPLICATION_CONTEXT:
        return Rejection.APPLICATION_CONTEXT, N_("the application context is not DICOM's")
    if title_of(request.calling) is None:
        return Rejection.CALLING_AE_TITLE, N_("the calling AE title is empty or not plain ASCII")
    if title_of(request.called) is None:
        return Rejection.CALLED_AE_TITLE, N_("the called AE title is empty or not plain ASCII")
    return None


def negotiate(request: AssociateRequest) -> Accepted:
    """Accept every context we know, each with the first proposed transfer syntax we know."""
    roles = {role.sop_class: role for role in request.roles}
    replies = tuple(_reply(context, roles) for context in request.contexts)
    contexts = {
        proposal.id: (proposal.abstract_syntax, reply.transfer_syntax)
        for proposal, reply in zip(request.contexts, replies, strict=True)
        if reply.result is ContextResult.ACCEPTED
    }
    # The requestor may be SCU and is never SCP (PS3.7 D.3.3.4); classes we do not know get no
    # answer.
    answers = tuple(
        Role(role.sop_class, role.scu, False)
        for role in roles.values()
        if _is_known(role.sop_class)
    )
    return Accepted(replies, contexts, answers)


def _reply(context: PresentationContext, roles: dict[str, Role]) -> ContextReply:
    abstract = context.abstract_syntax
    if not _is_known(abstract):
        result = ContextResult.ABSTRACT_SYNTAX_NOT_SUPPORTED
    elif abstract in roles and not roles[abstract].scu:
        result = ContextResult.USER_REJECTION  # it wants us to send: not offered
    else:
        for syntax in context.transfer_syntaxes:
            if syntax in TRANSFER_SYNTAXES:
                return ContextReply(context.id, ContextResult.ACCEPTED, syntax)
        result = ContextResult.TRANSFER_SYNTAXES_NOT_SUPPORTED
    return ContextReply(context.id, result, IMPLICIT_LITTLE)


def _is_known(abstract_syntax: str) -> bool:
    return abstract_syntax == VERIFICATION or abstract_syntax in STORAGE_CLASSES
