"""Requests about the practice as a whole: status, opening, locking."""

from __future__ import annotations

from typing import Any

from serment.app import circles
from serment.app.protect import kit
from serment.app.protect.filing import count_waiting
from serment.core.records.vault import CircleKind, Envelope, Patient, StoredObject
from serment.entrypoints.desk.desk import Answer, Desk
from serment.entrypoints.desk.request import Request


def status(desk: Desk, request: Request) -> Answer:
    """`serment status`: {"locked", "circles", "receiving", "unfiled", ...}."""
    practice, store = desk.practice, desk.house.store
    practice.expire()
    return {
        "practice": desk.house.practice,
        "locked": practice.locked(),
        "circles": sorted(practice.tables),
        "receiving": desk.surroundings.receiving(),
        "unfiled": count_waiting(store),
        "envelopes": store.count(Envelope),
        "objects": store.count(StoredObject),
        "patients": store.count(Patient),
        "sessions": len(practice.sessions),
        "care_circles": _care(desk),
        "shares_here": desk.surroundings.shares_here(),
        "free_bytes": desk.surroundings.free_bytes(),
    }


def _care(desk: Desk) -> list[dict[str, Any]]:
    return [
        {"name": c.id, "epoch": c.epoch, "stopped": c.stopped}
        for c in circles.current(desk.house.store).values()
        if c.kind is CircleKind.CARE
    ]


def unlock(desk: Desk, request: Request) -> Answer:
    """`serment unlock`: a session that stays open; {"login", "circles", ...}, with a token also
    where that token is good for."""
    session = desk.open(request)
    answer: dict[str, Any] = {
        "login": session.member.login,
        "circles": sorted(session.ring.circles),
        "unfiled": count_waiting(desk.house.store),
    }
    if request.options.get("token"):
        answer["token"] = desk.practice.bear(session)
        answer["anywhere"] = session.proven
    return answer


def lock(desk: Desk, request: Request) -> Answer:
    """`serment lock`: every session's keys are dropped; {"locked", "sessions"}."""
    closed = desk.practice.lock_all("asked")
    return {"locked": True, "sessions": closed}


def declare_kit(desk: Desk, request: Request) -> Answer:
    """The kit was printed and put away: recorded, with the day, as a declaration."""
    with desk.session(request) as session:
        kit.declare_printed(desk.house, session.member)
    return {"declared": True}
