"""Requests about members and devices."""

from __future__ import annotations

from typing import Any

from serment.app import circles, epochs
from serment.app.protect import devices, members
from serment.core.records.vault import Member, MemberState, Role
from serment.entrypoints.desk.desk import Answer, Desk
from serment.entrypoints.desk.request import Request
from serment.errors import N_, UsageError, VaultLocked


def add_member(desk: Desk, request: Request) -> Answer:
    """`serment member add`: {"login", "state", "words"}."""
    password = request.new_password or request.password
    if password is None:
        raise UsageError(
            N_("the new member needs a password"),
            hint=N_("type it when asked, or name a file: SERMENT_NEW_PASSWORD_FILE"),
        )
    roles = [_role(name) for name in request.options.get("roles", [])]
    with desk.session(request) as session:
        row = members.add(
            desk.house,
            session.member,
            session.ring,
            request.text("login"),
            password,
            roles,
            request.maybe("circle") or members.DEFAULT_CARE,
        )
    return _answer(row)


def _role(name: str) -> Role:
    try:
        return Role(name)
    except ValueError:
        raise UsageError(
            N_("there is no role {role}"),
            hint=N_("roles: doctor, secretary, dpo, administrator"),
            role=name,
        ) from None


def _answer(row: Member) -> dict[str, Any]:
    return {
        "login": row.login,
        "state": row.state.value,
        "roles": [role.value for role in row.roles],
        "circles": list(row.circles),
        "words": list(members.words(row)),
        "second_factor": row.totp is not None,
    }


def admit_member(desk: Desk, request: Request) -> Answer:
    """`serment member admit`: the newcomer's words were compared by the acting member; `words`
    are those he saw, when he was shown any."""
    login, compared = request.text("login"), request.options.get("words")
    with desk.session(request) as session:
        row = members.admit(
            desk.house, session.member, session.ring, login, tuple(compared) if compared else None
        )
    return _answer(row)


def fingerprint(desk: Desk, request: Request) -> Answer:
    """The words to compare before admitting."""
    row = members.find(desk.house.store, request.text("login"))
    return {"login": row.login, "words": list(members.words(row))}


def change_password(desk: Desk, request: Request) -> Answer:
    """`serment member password`: the member's own; his other sessions end at once."""
    if request.login is None:
        raise UsageError(N_("whose password?"), hint=N_("name yourself: --as LOGIN"))
    new = request.new_password
    if new is None or new == request.password:
        raise UsageError(
            N_("the new password is the old one"),
            hint=N_("type another one, or name a file with it: SERMENT_NEW_PASSWORD_FILE"),
        )
    with desk.session(request) as session:
        if session.seed is None:
            raise VaultLocked(N_("the session is over"), hint=N_("sign in again"))
        members.change_password(desk.house, session.member, session.seed, new)
        desk.practice.end_member(session.member.id, "password changed", but=session)
    return {"login": session.member.login}


def remove_member(desk: Desk, request: Request) -> Answer:
    """`serment member remove`: wraps and sessions go at once."""
    with desk.session(request) as session:
        row = members.remove(desk.house, session.member, request.text("login"))
        desk.practice.end_member(row.id)
    return {"login": row.login, "state": row.state.value}


def accept_circle(desk: Desk, request: Request) -> Answer:
    """`serment circle accept`: {"circle", "words"}; `words`, when the acting member was shown any,
    are those he compared."""
    name, compared = request.text("circle"), request.options.get("words")
    with desk.session(request) as session:
        circle = epochs.accept(
            desk.house, session.member, session.ring, name, tuple(compared) if compared else None
        )
    return {"circle": circle.id, "words": list(epochs.words(circle))}


def circle_words(desk: Desk, request: Request) -> Answer:
    """The words to compare before accepting."""
    found = circles.current(desk.house.store)
    return [
        {"circle": c.id, "words": list(epochs.words(c)), "stopped": c.stopped}
        for c in found.values()
    ]


def list_members(desk: Desk, request: Request) -> Answer:
    """`serment member list`."""
    rows = desk.house.store.find(Member)
    return [_answer(row) for row in rows if row.state is not MemberState.REMOVED]


def add_device(desk: Desk, request: Request) -> Answer:
    """`serment device add`: {"token"}, shown once."""
    with desk.session(request) as session:
        new = devices.add(
            desk.house,
            session.member,
            request.text("name"),
            request.text("ae"),
            request.text("address"),
            request.maybe("circle") or devices.DEFAULT_CIRCLE,
            request.maybe("called") or devices.CALLED,
        )
    return {"token": new.token, "device": new.row.id, "name": new.row.name, "ae": new.row.ae_title}


def remove_device(desk: Desk, request: Request) -> Answer:
    """`serment device remove`."""
    with desk.session(request) as session:
        row = devices.remove(desk.house, session.member, request.text("name"))
    return {"name": row.name, "removed": row.removed}


def list_devices(desk: Desk, request: Request) -> Answer:
    """`serment device list`."""
    return [
        {
            "name": row.name,
            "ae": row.ae_title,
            "called": row.called_ae_title,
            "address": row.address,
            "circle": row.circle,
        }
        for row in devices.active(desk.house.store)
    ]
