"""Closed by default: nothing listens beyond this machine until three things exist."""

from __future__ import annotations

from serment.app.protect.devices import active
from serment.core.records.vault import Member, MemberState, Role
from serment.errors import N_, Unavailable
from serment.ports import Store


def check_may_listen(store: Store, *, certificate: bool) -> None:
    """Raise `Unavailable`, naming what is missing, unless there is an administrator with a second
    factor, a certificate and a named device."""
    administrators = [
        m
        for m in store.find(Member, state=MemberState.ACTIVE)
        if Role.ADMINISTRATOR in m.roles and m.totp is not None
    ]
    missing = []
    if not administrators:
        missing.append(N_("an administrator with a second factor"))
    if not certificate:
        missing.append(N_("a certificate"))
    if not active(store):
        missing.append(N_("a named device"))
    if missing:
        raise Unavailable(
            N_("Serment listens on this machine only: {missing} is missing"),
            hint=N_("serve on 127.0.0.1, sign in, add what is missing, then open the address"),
            missing=", ".join(missing),
        )
