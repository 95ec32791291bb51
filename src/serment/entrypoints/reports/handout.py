"""What the report says that a doctor hands to an installer: every sentence, in one language.

Decides words and order; the same values make the page (`page`) and the paper (`paper`). Plain JSON
values, no markup: whatever a peer called itself is one printable line, and escaped where it is set.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

from serment.core.exposure.coverage import Key
from serment.core.exposure.findings import Finding, NotChecked
from serment.core.exposure.installing import STEPS
from serment.core.exposure.picture import picture_of, told
from serment.core.exposure.products import Flaw
from serment.core.exposure.registry import CHECKS
from serment.core.exposure.report import Report, Say
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
from serment.entrypoints.reports.head import LINE, About, facts, listed
from serment.entrypoints.reports.summary import sentences
from serment.errors import N_

CARDS: Final = 1000  # findings with a card of their own; the others stand in a table
ROWS: Final = 5000  # of that table
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
        "facts": facts(report, about, say, lang),
        "summary": sentences(report, say),
        "tone": _tone(report),
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


def _tone(report: Report) -> str:
    if report.is_quiet:
        return "good"
    return TONES[next(iter(report.counts))] if report.findings else "warn"


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
            "places": listed([place_said(each.place) for each in stated]),
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
        {"what": title, "why": reason, "places": listed(sorted(filter(None, hosts)))}
        for (title, reason), hosts in grouped.items()
    ]
    return lines[:UNSEEN]


def _asked(name: str, say: Say) -> str:
    """A check as the question that stays open; "scope" for networks that were not swept,
    "" for services that were not understood."""
    if name in CHECKS:
        return say(N_("{title}?"), {"title": say(CHECKS[name].title, {})})
    text = N_("What is on this network?") if name else N_("What answers at this port?")
    return say(text, {})


def _unlisted(count: int, say: Say, lang: str) -> str:
    if count <= 0:
        return ""
    return say(N_("{count} more are not written here."), {"count": formats.number(count, lang)})
