"""Every check by its id, and what they state together: findings, most serious first.

A finding that was confirmed from outside is one level more serious.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from serment.core.exposure import checks
from serment.core.exposure.checking import Check, Statement, View
from serment.core.exposure.discovered import discovered
from serment.core.exposure.findings import (
    RANKS,
    Finding,
    NotChecked,
    Outside,
    Place,
    Severity,
)
from serment.core.exposure.machines import place_order
from serment.core.exposure.outside import outside_of, reached_by
from serment.core.exposure.seen import Scan
from serment.core.exposure.unclear import not_asked, not_understood

CHECKS: Final[Mapping[str, Check]] = {each.id: each for each in discovered(checks.__name__, Check)}


def judge(view: View, only: Collection[str] = ()) -> tuple[list[Finding], list[NotChecked]]:
    """What the checks state of an audit, and what they could not look at: services that were not
    understood and what was missed too, whatever is asked.

    Args:
        view: what was seen.
        only: the ids to look at; empty = all.
    """
    found: dict[tuple[str, str, int], Finding] = {}
    skipped: list[NotChecked] = []
    told: set[Place] = set()
    for check in CHECKS.values():
        if only and check.id not in only:
            continue
        for stated in check.look(view):
            if isinstance(stated, Statement):
                finding = _finding(check, stated, view.scan)
                worse = found.get(finding.key)
                if worse is None or RANKS[finding.severity] < RANKS[worse.severity]:
                    found[finding.key] = finding
            else:
                told.add(stated.place)
                values = {"port": stated.place.port, **stated.values}
                skipped.append(NotChecked(check.id, stated.place.host, stated.reason, values))
    skipped.extend(not_understood(view.scan.services, told))
    skipped.extend(not_asked(view.scan.missed))
    return sorted(found.values(), key=_order), list(_once(skipped))


def raised(severity: Severity) -> Severity:
    """One level more serious; critical stays."""
    levels = list(Severity)
    return levels[max(RANKS[severity] - 1, 0)]


def _finding(check: Check, stated: Statement, scan: Scan) -> Finding:
    outside = outside_of(scan, stated.place)
    confirmed = outside is Outside.CONFIRMED
    return Finding(
        check.id,
        stated.place,
        raised(stated.severity) if confirmed else stated.severity,
        stated.confidence,
        stated.title or check.title,
        stated.remedy or check.remedy,
        stated.evidence,
        stated.values,
        stated.readable,
        outside,
        stated.cves,
        reached_by(scan, stated.place) if confirmed else (),
    )


def _order(finding: Finding) -> tuple[object, ...]:
    place = finding.place
    return RANKS[finding.severity], finding.id, place_order(place.host), place.port


def _once(skipped: list[NotChecked]) -> list[NotChecked]:
    seen: dict[tuple[object, ...], NotChecked] = {}
    for each in skipped:
        seen.setdefault((each.check, each.host, each.reason, each.values.get("port")), each)
    return list(seen.values())
