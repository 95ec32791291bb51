"""Writes an audit's report: findings by severity with their remedies for people, JSON for programs.

Whatever a machine said of itself is one printable line here: escape sequences, line breaks and
direction marks of a banner are gone (`core.exposure.text`), and once more for good measure.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from serment.core.exposure.coverage import Key
from serment.core.exposure.findings import Finding, Outside, Place
from serment.core.exposure.report import Report, Say, as_json, outside_said
from serment.core.exposure.text import clean
from serment.core.exposure.words import OUTSIDES, SEVERITIES, TONES, UNITS, counted, place_said
from serment.entrypoints.cli.output import Output
from serment.entrypoints.cli.scan_kept import Kept
from serment.entrypoints.cli.terminal import Row, show_rows
from serment.errors import N_

LINE_LIMIT = 400  # characters


def saying(output: Output) -> Say:
    """Messages in the reader's language, each one printable line."""

    def say(message: str, values: Mapping[str, object]) -> str:
        return clean(output.text(message, **values), LINE_LIMIT)

    return say


def show(output: Output, report: Report, kept: Kept) -> None:
    """The whole report, and what is known of its findings from before."""
    say = saying(output)
    answer, history = as_json(report, say), kept.as_json()
    if history:
        answer["history"] = history
    if kept.failed is not None:
        answer["error"] = output.described(kept.failed)
    output.value(answer)
    if output.as_json:
        return
    show_rows(output, (_row(output, each, kept, say) for each in report.findings))
    for each in kept.gone:
        place = place_said(Place(each["host"], each["port"]))
        output.line(N_("Gone: {check} at {place}"), check=each["id"], place=place)
    _show_unseen(output, report)
    _show_sum(output, report, kept, say)
    output.line(
        N_("View from outside: {what}"),
        what=", ".join(outside_said(report.scan, say)),
    )
    if report.looked and not report.looked.shared:
        output.line(
            N_("The helper {name} tried {count} ports of {address}: {open} open"),
            name=report.looked.by,
            count=len(report.looked.sights),
            address=report.looked.address,
            open=sum(each.is_open for each in report.looked.sights),
        )
    if report.authorised_by:
        output.line(N_("Authorised by: {name}"), name=clean(report.authorised_by, LINE_LIMIT))
    for proof in report.proofs:
        output.line(
            N_(
                "Control of {address} was proved: our own listener on its port {port} gave a fresh "
                "token to the helper {name}"
            ),
            address=proof.address,
            port=proof.port,
            name=proof.by,
        )


def _row(output: Output, finding: Finding, kept: Kept, say: Say) -> Row:
    """One finding: how much is readable, the view from outside and the history stand in brackets."""
    facts = []
    if finding.readable is not None:
        facts.append(say(UNITS[finding.readable.unit], {"count": counted(finding.readable)}))
    if finding.outside is not Outside.NOT_CHECKED:
        facts.append(say(OUTSIDES[finding.outside], {}))
    facts += _known(output, finding.key, kept)
    tail = f" ({'; '.join(facts)})" if facts else ""
    return Row(
        TONES[finding.severity],
        say(SEVERITIES[finding.severity], {}),
        finding.id,
        place_said(finding.place),
        say(finding.title, {}) + tail,
        say(finding.remedy, {}),
    )


def _known(output: Output, key: Key, kept: Kept) -> list[str]:
    """What the history says of it: new, open since when, accepted until when."""
    said = []
    if kept.is_new(key):
        said.append(output.text(N_("new")))
    elif kept.since and key in kept.since:
        said.append(output.text(N_("open since {since}"), since=kept.since[key]))
    if kept.accepted and key in kept.accepted:
        until = date.fromisoformat(kept.accepted[key]["until"])
        said.append(output.text(N_("accepted until {until}"), until=until))
    return said


def _show_unseen(output: Output, report: Report) -> None:
    if not report.not_checked:
        return
    output.line()
    output.line(N_("Not checked:"))
    for each in report.not_checked:
        reason = clean(output.text(each.reason, **each.values), LINE_LIMIT)
        output.plain("  ".join(("", *filter(None, (each.check, each.host)), reason)))


def _show_sum(output: Output, report: Report, kept: Kept, say: Say) -> None:
    output.line()
    if report.findings:
        words = ((say(SEVERITIES[each], {}), count) for each, count in report.counts.items())
        output.plain(" · ".join(f"{word} {count}" for word, count in words))
    elif report.is_quiet:
        output.line(N_("Nothing to report among what was checked."))
    output.line(
        N_("Addresses: {addresses}, services: {services}, {seconds} s"),
        addresses=report.addresses,
        services=len(report.scan.services),
        seconds=f"{report.seconds:.1f}",
    )
