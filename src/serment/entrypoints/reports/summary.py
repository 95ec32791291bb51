"""The report in a few plain sentences: how many patients can be read, from where, and what follows.

Numbers are "at least": two machines may hold the same patients, so that the most of one counts;
files of two machines are other files.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from serment.core.exposure.findings import RANKS, Finding, Severity, Unit
from serment.core.exposure.picture import RED, Way, picture_of
from serment.core.exposure.report import Report, Say
from serment.errors import N_

HOSTS: Final = 3  # addresses written in a sentence
UNITS: Final = {
    Unit.PATIENTS: N_("Whoever connects can read the data of at least {count} patients ({hosts})."),
    Unit.STUDIES: N_("Whoever connects can read at least {count} studies ({hosts})."),
    Unit.FILES: N_("Whoever connects can read at least {count} health files ({hosts})."),
    Unit.ROWS: N_(
        "Whoever connects can read at least {count} appointments or rows of tables ({hosts})."
    ),
}
SUMMED: Final = (Unit.FILES, Unit.ROWS)


def sentences(report: Report, say: Say) -> list[str]:
    """The summary, most important first."""
    if report.is_quiet:
        return [say(N_("Nothing to report among what was checked."), {}), _outside(report, say)]
    lines = [line for unit in UNITS if (line := _readable(report.findings, unit, say))]
    if report.findings and not lines:
        lines = [_worst(report, say)]
    lines += [*_left(report, say), _outside(report, say)]
    if lets_patients_out(report):
        lines.append(
            say(
                N_(
                    "What strangers could read may be a breach of personal data: the CNIL is notified within 72 hours of noticing it (GDPR Art. 33). Keep this report and the logs."
                ),
                {},
            )
        )
    return lines


def lets_patients_out(report: Report) -> bool:
    """Whether the Internet reaches a machine on which something can be read."""
    return any(
        each.readable is not None and each.readable.count
        for spot in picture_of(report, len(report.findings)).spots
        if spot.way in RED
        for each in spot.findings
    )


def _readable(findings: Iterable[Finding], unit: Unit, say: Say) -> str:
    by_host: dict[str, int] = {}
    for each in findings:
        if each.readable is not None and each.readable.unit is unit and each.readable.count:
            before = by_host.get(each.place.host, 0)
            by_host[each.place.host] = max(before, each.readable.count)
    if not by_host:
        return ""
    count = sum(by_host.values()) if unit in SUMMED else max(by_host.values())
    return say(UNITS[unit], {"count": count, "hosts": _hosts(by_host, say)})


def _left(report: Report, say: Say) -> list[str]:
    """What this audit cannot say is closed."""
    lines = []
    if report.unseen:
        text = N_(
            "Open before, and this time neither seen again nor found closed: {count}. Look again when "
            "those machines answer; where they are is under what was not checked."
        )
        lines.append(say(text, {"count": report.unseen}))
    if not report.is_finished:
        lines.append(say(N_("The audit ended too early: not everything was asked."), {}))
    return lines


def _worst(report: Report, say: Say) -> str:
    serious = [each for each in report.findings if RANKS[each.severity] <= RANKS[Severity.HIGH]]
    if serious:
        places = _hosts((each.place.host for each in serious), say)
        text = N_("No patient's data was seen to be readable, but doors are open ({hosts}).")
        return say(text, {"hosts": places})
    return say(N_("No patient's data was seen to be readable."), {})


def _outside(report: Report, say: Say) -> str:
    drawn = picture_of(report, len(report.findings))
    if drawn.outside in RED:
        spots = [each for each in drawn.spots if each.way in RED] or [drawn.box]
        names = (each.machine.host or say(N_("the box"), {}) for each in spots)
        return say(N_("Open to the whole Internet: {hosts}."), {"hosts": _hosts(names, say)})
    if drawn.shared:
        text = N_("The Internet address is shared with others: nothing can be said from outside.")
    elif drawn.outside is Way.INSIDE:
        text = N_("What was tried from outside is closed.")
    else:
        text = N_("Nobody looked from outside: whether the Internet reaches it is not known.")
    return say(text, {})


def _hosts(hosts: Iterable[str], say: Say) -> str:
    every = list(dict.fromkeys(hosts))
    shown = ", ".join(every[:HOSTS])
    if len(every) <= HOSTS:
        return shown
    return say(N_("{hosts} and {count} more"), {"hosts": shown, "count": len(every) - HOSTS})
