"""How wraps, contexts and the journal name what a key belongs to: one spelling, written and read here.

A name is a kind, a colon and an id ("member:3f...", "circle:care"); the seed of a circle also
names its epoch ("circle:care@2"). Decides nothing about who may hold what.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from serment.errors import N_, FormatError

RECOVERY = "recovery"
AUTHORITY = "authority"  # the practice's own certificate authority, whose key is wrapped


class NameKind(StrEnum):
    """What stands before the colon."""

    MEMBER = "member"
    PASSWORD = "password"
    CIRCLE = "circle"
    ENVELOPE = "envelope"
    PATIENT = "patient"
    COMPARTMENT = "compartment"
    OBJECT = "object"
    RECOVERY = RECOVERY
    AUTHORITY = AUTHORITY


class Name(NamedTuple):
    """A name taken apart; `id` is empty for recovery and the authority, `epoch` 0 when unsaid."""

    kind: NameKind
    id: str = ""
    epoch: int = 0


def member(member_id: str) -> str:
    """A person's key pair."""
    return f"member:{member_id}"


def password(member_id: str) -> str:
    """What is derived from that member's password."""
    return f"password:{member_id}"


def circle(circle_id: str) -> str:
    """A circle's key pair; the recovery circle is always `recovery`."""
    return RECOVERY if circle_id == RECOVERY else f"circle:{circle_id}"


def circle_seed(circle_id: str, epoch: int) -> str:
    """The seed of a circle at one epoch, as the subject of a wrap."""
    return f"circle:{circle_id}@{epoch}"


def envelope(envelope_id: str) -> str:
    """The key unit of what arrived together."""
    return f"envelope:{envelope_id}"


def patient(patient_id: str) -> str:
    """A patient's identity key."""
    return f"patient:{patient_id}"


def compartment(compartment_id: str) -> str:
    """The clinical key of one patient for one care circle."""
    return f"compartment:{compartment_id}"


def parse_name(text: str) -> Name:
    """Take a name apart; `FormatError` when it is none of the above.

    >>> parse_name("circle:care@2")
    Name(kind=<NameKind.CIRCLE: 'circle'>, id='care', epoch=2)
    """
    kind, colon, rest = text.partition(":")
    alone = kind in (RECOVERY, AUTHORITY)
    name_id, at, epoch = rest.partition("@")
    if kind not in set(NameKind) or alone is bool(colon) or alone is bool(name_id):
        raise _unknown()
    if at and not (kind == NameKind.CIRCLE and epoch.isascii() and epoch.isdecimal()):
        raise _unknown()
    return Name(NameKind(kind), name_id, int(epoch) if at else 0)


def _unknown() -> FormatError:
    return FormatError(
        N_("this name of a key is not one Serment writes"),
        hint=N_("run `serment doctor`: the vault may be damaged or of a newer version"),
    )
