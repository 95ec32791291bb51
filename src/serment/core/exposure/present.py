"""How things stand now: the open findings of the history and what the last audits saw, as one report,
so that pictures, documents and answers made for an audit can be made of the history too."""

from __future__ import annotations

from serment.core.exposure.findings import RANKS, Finding
from serment.core.exposure.history import Ledger, Made
from serment.core.exposure.machines import place_order
from serment.core.exposure.report import Report
from serment.core.exposure.seen import Missed, Scan


def as_report(ledger: Ledger) -> Report | None:
    """The present state; None before the first audit. Times and names are of the last whole audit,
    that of the last recheck where there was no other."""
    if not ledger.scans:
        return None
    made, seen = last_whole(ledger), ledger.seen
    return Report(
        made.at,
        seen.seconds,
        Scan(
            seen.services,
            dmz=seen.dmz,
            manual_rules=seen.manual_rules,
            shared=seen.shared,
            outside_by=seen.outside_by,
            at=made.at,
            missed=Missed(ended=True) if seen.ended else None,
        ),
        tuple(sorted((each.finding for each in ledger.open), key=_order)),
        seen.not_checked,
        made.authorised_by,
        made.addresses,
        seen.proved,
    )


def last_whole(ledger: Ledger) -> Made:
    """The last audit that was no recheck; the last recheck where there was none. There is one."""
    whole = [each for each in ledger.scans if not each.looked.only]
    return (whole or ledger.scans)[-1]


def _order(finding: Finding) -> tuple[object, ...]:
    place = finding.place
    return RANKS[finding.severity], finding.id, place_order(place.host), place.port
