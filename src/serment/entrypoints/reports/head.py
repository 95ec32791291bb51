"""The head of the report: whose it is, when, by whose leave, what was looked at and how the outside was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Any, Final

from serment.core.exposure.coverage import Key
from serment.core.exposure.history import Ledger
from serment.core.exposure.present import last_whole
from serment.core.exposure.products import Flaw
from serment.core.exposure.report import Report, Say, outside_said
from serment.core.exposure.text import clean
from serment.core.exposure.written import write_acceptance
from serment.entrypoints import formats, language
from serment.errors import N_

LINE: Final = 600  # characters
PLACES: Final = 12  # named one after the other


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


def about_kept(
    practice: str, ledger: Ledger, flaws: tuple[Flaw, ...], today: date, version: str
) -> About:
    """What is known beside a report of the history (`core.exposure.present.as_report`)."""
    return About(
        practice,
        last_whole(ledger).looked.networks,
        flaws,
        {each.finding.key: each.since for each in ledger.open},
        {
            key: write_acceptance(each)
            for key, each in ledger.accepted.items()
            if ledger.is_accepted(key, today)
        },
        version,
    )


def facts(report: Report, about: About, say: Say, lang: str) -> list[list[str]]:
    """The head: who, when, by whose leave, what was looked at, and how the outside was."""
    looked = language.say_count("{count} address", "{count} addresses", report.addresses, lang)
    if about.networks:
        looked += f" ({listed(spans(about.networks))})"
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


def listed(names: Iterable[str]) -> str:
    """Some names, and how many more there are."""
    every = list(dict.fromkeys(clean(each, LINE) for each in names))
    shown = ", ".join(every[:PLACES])
    return f"{shown} … (+{len(every) - PLACES})" if len(every) > PLACES else shown
