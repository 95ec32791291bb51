"""Requests about a breach: the radius as JSON. Counts and random ids only, so that the local owner
needs no session; who is behind an id, only a page shows to those whose keys name patients."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from serment.app.respond.radius import Question, radius
from serment.core.breach.evidence import Evidence
from serment.core.breach.exposure import TOLD, Exposure
from serment.core.breach.radius import Radius
from serment.core.breach.vectors import told
from serment.core.journal.caller import LOCAL
from serment.core.records import names
from serment.core.records.vault import Member
from serment.entrypoints.desk.desk import Answer, Desk
from serment.entrypoints.desk.journal import public_key
from serment.entrypoints.desk.request import Request, not_a_moment
from serment.errors import N_, UsageError

NAMES: Mapping[Exposure, str] = {found: found.name.lower() for found in TOLD}


def compute(desk: Desk, request: Request) -> Answer:
    """`serment breach radius`: {"vectors", "patients", "categories", "metadata", "evidence", ...}."""
    question = Question(
        stolen=request.maybe("stolen"),
        at=_moment(request, "at"),
        known=_texts(request, "known"),
        accounts=_texts(request, "accounts"),
        server=bool(request.options.get("server")),
        listeners=_texts(request, "listeners"),
        start=_moment(request, "from"),
        end=_moment(request, "to"),
    )
    found = radius(
        desk.house, desk.surroundings, public_key(desk), LOCAL, question, request.progress
    )
    answer = as_json(found, logins(desk))
    if request.options.get("patients"):
        answer["patient_ids"] = {NAMES[each]: sorted(found.ids(each)) for each in TOLD}
    return answer


def as_json(found: Radius, known: Mapping[str, str]) -> dict[str, Any]:
    """The answer for scripts (docs/cli.md); `known`: logins by "member:…", for the evidence."""
    numbers, trust, metadata = found.numbers, found.trust, found.metadata
    return {
        "vectors": [_vector(told(vector), known) for vector in found.vectors],
        "patients": {
            **{NAMES[each]: numbers.patients[each] for each in TOLD},
            "unfiled_envelopes": numbers.unfiled.total(),
        },
        "unfiled": {NAMES[each]: numbers.unfiled[each] for each in TOLD},
        "categories": {
            category.value: {
                "special": True,
                **{
                    NAMES[each]: {
                        "patients": amount.patients,
                        "envelopes": amount.envelopes,
                        "objects": amount.objects,
                    }
                    for each, amount in amounts.items()
                },
            }
            for category, amounts in numbers.categories.items()
        },
        "metadata": {
            "readable": metadata.readable,
            "patients": metadata.patients,
            "envelopes": metadata.envelopes,
            "objects": metadata.objects,
            "members": metadata.members,
            "entries": metadata.entries,
        },
        "evidence": [_evidence(each, known) for each in found.evidence],
        "weakest_password": None
        if found.weakest is None
        else {
            "rule": found.weakest.rule,
            "kdf": found.weakest.kdf,
            "current": found.weakest.is_current,
        },
        "journal": {
            "entries": trust.entries,
            "ok": trust.whole,
            "first_bad": trust.first_bad,
            "expired": trust.expired,
            "unreadable": trust.unreadable,
            "complete_since": trust.complete_since,
        },
        "harmless": found.harmless,
    }


def _vector(said: dict[str, Any], known: Mapping[str, str]) -> dict[str, Any]:
    """With logins: in the place of the ids of those whose password is known, beside the others."""
    if "member" in said:
        said["login"] = known.get(names.member(said["member"]), "")
    if "known" in said:
        said["known"] = sorted(known.get(names.member(each), each) for each in said["known"])
    return said


def _evidence(each: Evidence, known: Mapping[str, str]) -> dict[str, Any]:
    values = {key: known.get(str(value), value) for key, value in each.values.items()}
    return {
        "code": each.fact.value,
        "message": each.message,
        "values": values,
        "count": each.count,
        "entries": list(each.entries) if each.entries else None,
    }


def logins(desk: Desk) -> dict[str, str]:
    """Who has, or had, which login, by "member:…"."""
    return {names.member(member.id): member.login for member in desk.house.store.find(Member)}


def _texts(request: Request, name: str) -> tuple[str, ...]:
    value = request.options.get(name) or ()
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise UsageError(N_("{name} is missing"), name=name)
    return tuple(value)


def _moment(request: Request, name: str) -> datetime | None:
    text = request.maybe(name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise not_a_moment() from error
    if moment.tzinfo is None:
        raise not_a_moment()
    return moment
