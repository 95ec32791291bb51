"""Requests about audits. What they find names no patient, so the local owner needs no session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from serment.app.find.history import accept_finding, history, record
from serment.app.find.weekly import plan_weekly, schedule
from serment.core.crypto.secret import Key
from serment.core.exposure.history import Known, Ledger
from serment.core.exposure.packed import unpack
from serment.core.exposure.schedule import Plan, next_at
from serment.core.exposure.written import (
    read_acceptance,
    read_finding,
    read_made,
    unreadable,
    write_acceptance,
    write_finding,
    write_known,
    write_ledger,
)
from serment.core.exposure.written_sighting import read_sighting
from serment.core.journal.caller import LOCAL
from serment.entrypoints.desk.desk import Answer, Desk
from serment.entrypoints.desk.request import Request


def keep(desk: Desk, request: Request) -> Answer:
    """`scan keep`: {"practice", "new", "gone", "still", "unseen", "accepted"}, of one audit just
    made."""
    try:
        left = unpack(request.options["audit"])
        findings = [read_finding(each) for each in left["findings"]]
        made = read_made(left["made"])
        seen = read_sighting(left["seen"])
    except (KeyError, TypeError, ValueError) as error:
        raise unreadable() from error
    changes = record(desk.house, desk.held_key(), LOCAL, findings, made, seen)
    kept = history(desk.house, desk.held_key())
    return {
        "practice": desk.house.practice,
        "new": [write_known(each) for each in changes.new],
        "gone": [write_known(each) for each in changes.gone],
        "still": [write_known(each) for each in changes.still],
        "unseen": [
            {"key": list(each.key), "reason": each.said.reason, "values": each.said.values}
            for each in changes.unseen
        ],
        "accepted": _accepted(desk, kept),
    }


def told(desk: Desk, request: Request) -> Answer:
    """`scan history`: {"findings", "accepted", "scans"}."""
    ledger = history(desk.house, desk.held_key())
    return {
        "findings": [_known(each) for each in ledger.known.values()],
        "accepted": _accepted(desk, ledger),
        "scans": [
            {
                "at": each.at,
                "authorised_by": each.authorised_by,
                "addresses": each.addresses,
                "findings": each.findings,
            }
            for each in ledger.scans
        ],
    }


def ledger(desk: Desk, request: Request) -> Answer:
    """`scan ledger`: {"practice", "ledger"}, of which reports are made."""
    return {
        "practice": desk.house.practice,
        "ledger": write_ledger(history(desk.house, desk.held_key())),
    }


def accept(desk: Desk, request: Request) -> Answer:
    """`scan accept`: the acceptance, as kept."""
    now = desk.house.clock.now().isoformat()
    try:
        wished = read_acceptance({**request.options, "at": now})
    except (KeyError, TypeError, ValueError) as error:
        raise unreadable() from error
    accept_finding(desk.house, desk.held_key(), LOCAL, wished)
    return write_acceptance(wished)


def weekly(desk: Desk, request: Request) -> Answer:
    """`scan schedule`: the weekly audit's plan, changed first where the request says how; {"on",
    "weekday", "hour", "targets", "authorised_by", "next", "done", "failed"}."""
    key, now = desk.held_key(), desk.house.clock.now()
    made = schedule(desk.house, key)
    if request.options:
        made = plan_weekly(desk.house, key, LOCAL, _changed(made.plan, request.options, desk, key))
    plan, failed = made.plan, made.failed
    return {
        "on": plan.on,
        "weekday": plan.weekday,
        "hour": plan.hour,
        "targets": list(plan.targets),
        "authorised_by": plan.authorised_by,
        "next": next_at(made, now),
        "done": made.done,
        "failed": None
        if failed is None
        else {
            "at": failed.at,
            "message": failed.message,
            "values": {name: str(value) for name, value in failed.values.items()},
        },
    }


def _changed(plan: Plan, wished: Mapping[str, Any], desk: Desk, key: Key) -> Plan:
    """The plan with what was asked; who answers for it was said once, here or for an audit."""
    told = {name: value for name, value in wished.items() if value is not None}
    by = str(
        told.get("authorised_by") or plan.authorised_by or history(desk.house, key).authorised_by
    )
    return Plan(
        bool(told.get("on", plan.on)),
        int(told.get("weekday", plan.weekday)),
        int(told.get("hour", plan.hour)),
        tuple(map(str, told.get("targets", plan.targets))),
        by,
        bool(told.get("large", plan.large)),
    )


def _accepted(desk: Desk, ledger: Ledger) -> list[dict[str, Any]]:
    """Those that still count today."""
    today = desk.house.clock.now().astimezone().date()
    return [
        write_acceptance(each)
        for key, each in ledger.accepted.items()
        if ledger.is_accepted(key, today)
    ]


def _known(known: Known) -> dict[str, Any]:
    return {
        **write_finding(known.finding),
        "first": known.first,
        "since": known.since,
        "seen": known.seen,
        "gone": known.gone,
        "not_before": known.not_before,
    }
