"""Requests about audits. What they find names no patient, so the local owner needs no session."""

from __future__ import annotations

from typing import Any

from serment.app.find.history import accept_finding, history, record
from serment.core.exposure.history import Known, Ledger
from serment.core.exposure.written import (
    read_acceptance,
    read_finding,
    read_made,
    unreadable,
    write_acceptance,
    write_finding,
    write_known,
)
from serment.core.journal.caller import LOCAL
from serment.entrypoints.desk.desk import Answer, Desk
from serment.entrypoints.desk.request import Request


def keep(desk: Desk, request: Request) -> Answer:
    """`scan keep`: {"new", "gone", "still", "accepted"}, of one audit that was just made."""
    try:
        findings = [read_finding(each) for each in request.options["findings"]]
        made = read_made(request.options["made"])
    except (KeyError, TypeError, ValueError) as error:
        raise unreadable() from error
    changes = record(desk.house, desk.held_key(), LOCAL, findings, made)
    ledger = history(desk.house, desk.held_key())
    return {
        "new": [write_known(each) for each in changes.new],
        "gone": [write_known(each) for each in changes.gone],
        "still": [write_known(each) for each in changes.still],
        "accepted": _accepted(desk, ledger),
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


def accept(desk: Desk, request: Request) -> Answer:
    """`scan accept`: the acceptance, as kept."""
    now = desk.house.clock.now().isoformat()
    try:
        wished = read_acceptance({**request.options, "at": now})
    except (KeyError, TypeError, ValueError) as error:
        raise unreadable() from error
    accept_finding(desk.house, desk.held_key(), LOCAL, wished)
    return write_acceptance(wished)


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
