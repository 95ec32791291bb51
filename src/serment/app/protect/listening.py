"""Closed by default: nothing listens beyond this machine until three things exist."""

from __future__ import annotations

from serment.app.protect.devices import active
from serment.core.records.vault import Member, MemberState, Role
from serment.errors import N_, Unavailable
from serment.ports import Store

NEXT = N_("serve on 127.0.0.1 first, and add what is missing there")


def check_may_listen(store: Store, *, certificate: bool) -> None:
    """Raise `Unavailable`, saying what is missing, unless there is an administrator with a second
    factor, a certificate and a named device."""
    if not any(map(_guards, store.find(Member, state=MemberState.ACTIVE))):
        raise Unavailable(
            N_("Serment listens on this machine only: no administrator has a second factor yet"),
            hint=NEXT,
        )
    if not certificate:
        raise Unavailable(
            N_("Serment listens on this machine only: it has no certificate"), hint=NEXT
        )
    if not active(store):
        raise Unavailable(
            N_("Serment listens on this machine only: no device is named yet"), hint=NEXT
        )


def _guards(member: Member) -> bool:
    return Role.ADMINISTRATOR in member.roles and member.totp is not None
