"""What the report says that a doctor hands to an installer: every sentence, in one language.

Decides words and order; the same values make the page (`page`) and the paper (`paper`). Plain JSON
values, no markup: whatever a peer called itself is one printable line, and escaped where it is set.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Any, Final

from serment.core.exposure.findings import Finding, NotChecked
from serment.core.exposure.history import Key
from serment.core.exposure.installing import STEPS
from serment.core.exposure.picture import picture_of, told
from serment.core.exposure.products import Flaw
from serment.core.exposure.registry import CHECKS
from serment.core.exposure.report import Report, Say, outside_said
from serment.core.exposure.text import clean
from serment.core.exposure.words import (
    ARTICLES,
    COMMANDMENTS,
    CONFIDENCES,
    OUTSIDES,
    SEVERITIES,
    TONES,
    UNITS,
    counted,
    place_said,
)
from serment.entrypoints import formats, language
from serment.entrypoints.reports.summary import sentences
from serment.errors import N_

CARDS: Final = 1000  # findings with a card of their own; the others stand in a table
ROWS: Final = 5000  # of that table
PLACES: Final = 12  # written of one thing to do
LINE: Final = 600  # characters
UNSEEN: Final = 200  # lines of what was not checked

LABELS: Final[Mapping[str, str]] = {
    "title": N_("What strangers can reach"),
    "brief": N_("In brief"),
    "picture": N_("The practice as strangers see it"),
    "told": N_("The same in sentences"),
    "first": N_("What to close, in this order"),
    "where": N_("Where"),
    "findings": N_("Each finding"),
    "certainty": N_("Certainty"),
    "evidence": N_("What was asked and answered"),
    "outside": N_("From outside"),
    "doctor": N_("For the doctor"),
    "installer": N_("For the installer"),
    "law": N_("Duty"),
    "cves": N_("Published flaws"),
    "since": N_("History"),
    "more": N_("Further findings"),
    "unchecked": N_("What was not checked"),
    "all_checked": N_("Every check could be made."),
    "severity": N_("Severity"),
    "finding": N_("Finding"),
    "place": N_("Place"),
    "none": N_("Nothing to report among what was checked."),
}


@dataclass(frozen=True, slots=True)
class About:
    """What is known beside the audit. `networks`: what was looked at, as CIDR; `since` and
    `accepted`: of the vault's history."""

    practice: str = ""
    networks: tuple[str, ...] = ()
    flaws: tuple[Flaw, ...] = ()
    since: Mapping[Key, datetime] = field(default_factory=dict)
    accepted: Mapping[Key, Mapping[str, Any]] = field(default_factory=dict)
    version: str = ""


def saying(lang: str) -> Say:
    """Messages in that language, each one printable line."""

    def say(message: str, values: Mapping[str, object]) -> str:
        return clean(language.say(message, lang, **values), LINE)

    return say


def handout(report: Report, about: About, lang: str) -> dict[str, Any]:
    """The whole report as JSON values."""
    say = saying(lang)
    cards = report.findings[:CARDS]
    rest = report.findings[CARDS:]
    return {
        "language": lang,
        "practice": clean(about.practice, LINE) or say(N_("Practice"), {}),
        "at": report.at.astimezone().isoformat(),
        "labels": {name: say(text, {}) for name, text in LABELS.items()},
        "facts": _facts(report, about, say, lang),
        "summary": sentences(report, say),
        "counts": [
            {"word": say(SEVERITIES[each], {}), "tone": TONES[each], "kind": each.value, "count": n}
            for each, n in report.counts.items()
        ],
        "told": told(picture_of(report), say),
        "first": _first(report.findings, say),
        "cards": [_card(each, about, say, lang) for each in cards],
        "rows": [_row(each, say) for each in rest[:ROWS]],
        "unlisted": _unlisted(len(rest) - ROWS, say, lang),
        "unchecked": _unchecked(report.not_checked, say),
        "foot": [
            say(
                N_(
                    "This report holds no patient's name. It says where the doors are: keep it safe."
                ),
                {},
            ),
            say(N_("Made by Serment {version}"), {"version": about.version}),
        ],
    }


def _facts(report: Report, about: About, say: Say, lang: str) -> list[list[str]]:
    """The head: who, when, by whose leave, what was looked at, and how the outside was."""
    looked = language.say_count("{count} address", "{count} addresses", report.addresses, lang)
    if about.networks:
        looked += f" ({_listed(spans(about.networks))})"
    facts = [
        [say(N_("Practice"), {}), clean(about.practice, LINE) or "–"],
        [say(N_("Date"), {}), formats.moment(report.at, lang)],
        [
            say(N_("Authorised by"), {}),
            clean(report.authorised_by, LINE) or say(N_("nobody: this machine only"), {}),
        ],
        [say(N_("Looked at"), {}), looked],
        [say(N_("View from outside"), {}), "; ".join(_outside(report, say))],
    ]
    if report.proved:
        facts.append([say(N_("Proof of control"), {}), "; ".join(_proofs(report, say))])
    if report.seconds:
        facts.append([say(N_("Duration"), {}), formats.duration(report.seconds, lang)])
    return facts


def spans(networks: Iterable[str]) -> list[str]:
    """Networks as people name them: joined where they touch, "192.168.1.1-254"; what is none as it is.

    >>> spans(["192.168.1.1/32", "192.168.1.2/31", "10.0.0.7/32"])
    ['10.0.0.7', '192.168.1.1-3']
    """
    try:
        parsed = sorted(map(ip_network, networks), key=lambda each: (each.version, int(each[0])))
    except ValueError:
        return list(networks)
    found: list[list[IPv4Address | IPv6Address]] = []
    for each in parsed:
        if found and found[-1][1].version == each.version and int(found[-1][1]) + 1 == int(each[0]):
            found[-1][1] = each[-1]
        else:
            found.append([each[0], each[-1]])
    return [_span(first, last) for first, last in found]


def _span(first: IPv4Address | IPv6Address, last: IPv4Address | IPv6Address) -> str:
    if first == last:
        return str(first)
    head, _, tail = str(last).rpartition(".")
    return f"{first}-{tail}" if head and str(first).startswith(f"{head}.") else f"{first}-{last}"


def _outside(report: Report, say: Say) -> list[str]:
    """Which looks were done, and what the helper tried; "not checked from outside" without any."""
    lines = outside_said(report.scan, say)
    looked = report.looked
    if looked is not None and looked.sights:
        values = {"by": looked.by, "count": len(looked.sights), "address": looked.address}
        lines.append(say(N_("{by} tried {count} ports of {address}"), values))
    return lines


def _proofs(report: Report, say: Say) -> list[str]:
    """How control of each public address was proved; only the address where that was not kept."""
    said = {
        each.address: say(
            N_("{address}: our own listener on port {port} gave a fresh token to {by}"),
            {"address": each.address, "port": each.port, "by": each.by},
        )
        for each in report.proofs
    }
    return [said.get(address, address) for address in report.proved]


def _first(findings: Iterable[Finding], say: Say) -> list[dict[str, Any]]:
    """What to do, one line a check, most serious first, with the places it concerns."""
    todo: dict[tuple[str, str], list[Finding]] = {}
    for each in findings:
        todo.setdefault((each.id, each.remedy), []).append(each)
    return [
        {
            **_severity(stated[0], say),
            "id": check,
            "remedy": say(remedy, {}),
            "places": _listed([place_said(each.place) for each in stated]),
        }
        for (check, remedy), stated in todo.items()
    ]


def _card(finding: Finding, about: About, say: Say, lang: str) -> dict[str, Any]:
    return {
        **_row(finding, say),
        "readable": _readable(finding, say),
        "certainty": _begun(say(CONFIDENCES[finding.confidence], {})),
        "evidence": say(finding.evidence, finding.values),
        "outside": _begun(say(OUTSIDES[finding.outside], {})),
        "doctor": say(finding.remedy, {}),
        "installer": say(STEPS[finding.id], {}),
        "law": [" · ".join(_law(finding.id, say))],
        "cves": _cves(finding, about.flaws, say, lang),
        "since": _since(finding.key, about, say),
    }


def _readable(finding: Finding, say: Say) -> str:
    if finding.readable is None:
        return ""
    return _begun(say(UNITS[finding.readable.unit], {"count": counted(finding.readable)}))


def _begun(text: str) -> str:
    """With a capital, as a line of its own."""
    return text[:1].upper() + text[1:]


def _row(finding: Finding, say: Say) -> dict[str, Any]:
    return {
        **_severity(finding, say),
        "id": finding.id,
        "title": say(finding.title, {}),
        "place": place_said(finding.place),
    }


def _severity(finding: Finding, say: Say) -> dict[str, str]:
    kind = finding.severity
    return {"word": say(SEVERITIES[kind], {}), "tone": TONES[kind], "kind": kind.value}


def _law(name: str, say: Say) -> list[str]:
    check = CHECKS[name]
    said = N_("commandment {number}: {what}")
    what = say(COMMANDMENTS[check.commandment], {})
    return [
        *(say(ARTICLES[each], {}) for each in check.articles),
        say(said, {"number": check.commandment, "what": what}),
    ]


def _cves(finding: Finding, flaws: Iterable[Flaw], say: Say, lang: str) -> list[str]:
    """Each published flaw's number; then where that is written, and when it was read there."""
    if not finding.cves:
        return []
    wanted = set(finding.cves)
    sources = [
        say(
            N_("source: {source} (read on {day})"),
            {"source": each.source, "day": formats.day(each.checked, lang)},
        )
        for each in flaws
        if wanted & set(each.cves)
    ]
    return [", ".join(finding.cves), *dict.fromkeys(sources)]


def _since(key: Key, about: About, say: Say) -> list[str]:
    lines = []
    if key in about.since:
        lines.append(_begun(say(N_("open since {since}"), {"since": about.since[key]})))
    if key in about.accepted:
        accepted = about.accepted[key]
        values = {
            "who": accepted["who"],
            "until": date.fromisoformat(str(accepted["until"])),
            "why": accepted["why"],
        }
        lines.append(_begun(say(N_("accepted by {who} until {until}: {why}"), values)))
    return lines


def _unchecked(skipped: Iterable[NotChecked], say: Say) -> list[dict[str, str]]:
    """What was not checked, one line a reason: which checks, where."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for each in skipped:
        title = _asked(each.check, say)
        grouped.setdefault((title, say(each.reason, each.values)), []).append(each.host)
    lines = [
        {"what": title, "why": reason, "places": _listed(sorted(filter(None, hosts)))}
        for (title, reason), hosts in grouped.items()
    ]
    return lines[:UNSEEN]


def _asked(name: str, say: Say) -> str:
    """A check as the question that stays open; "scope" for networks that were not swept."""
    if name in CHECKS:
        return say(N_("{title}?"), {"title": say(CHECKS[name].title, {})})
    return say(N_("What is on this network?"), {})


def _unlisted(count: int, say: Say, lang: str) -> str:
    if count <= 0:
        return ""
    return say(N_("{count} more are not written here."), {"count": formats.number(count, lang)})


def _listed(names: Iterable[str]) -> str:
    """Some names, and how many more there are."""
    every = list(dict.fromkeys(clean(each, LINE) for each in names))
    shown = ", ".join(every[:PLACES])
    return f"{shown} … (+{len(every) - PLACES})" if len(every) > PLACES else shown
