"""What stands on the picture of the practice: Internet, box, machines, and what is open to whom.

Takes findings and what is known of the machines (of an audit just made, or kept); decides which
machines are drawn, which are only counted, and how each can be reached. How it is drawn is
`entrypoints.reports.drawing`; `told` is the same picture as sentences, for those who cannot see it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from serment.core.exposure.findings import RANKS, Finding, Outside, Severity
from serment.core.exposure.machines import (
    Forwarding,
    Machine,
    forwardings_of,
    is_address,
    machines_of,
    place_order,
    told_by_check,
)
from serment.core.exposure.report import Report, Say
from serment.core.exposure.unclear import why_unclear
from serment.core.exposure.words import KINDS, SEVERITIES, UNITS, Kind, counted
from serment.errors import N_

MOST: Final = 12  # machines drawn one by one; the others are counted
PORTS: Final = 8  # of the box, written on the picture
OPEN: Final = RANKS[Severity.MEDIUM]  # up to this a finding is an opening, beyond it a remark
TRIED: Final = frozenset({"peer", "import"})  # looks that try ports from outside


class Way(StrEnum):
    """Who can reach what was found on a machine."""

    OUTSIDE = "outside"  # the whole Internet: somebody outside did
    FORWARDED = "forwarded"  # the whole Internet: the box says so
    UNKNOWN = "unknown"  # the practice's network; nobody tried from outside
    INSIDE = "inside"  # the practice's network only: tried from outside, closed
    UNCLEAR = "unclear"  # nothing was found, and not all of it was understood
    QUIET = "quiet"  # nothing was found


RED: Final = (Way.OUTSIDE, Way.FORWARDED)
COUNTED: Final = (Way.UNCLEAR, Way.QUIET)  # machines that are not drawn one by one
WAYS: Final[Mapping[Way, str]] = {
    Way.OUTSIDE: N_("Open to the whole Internet: reached from outside"),
    Way.FORWARDED: N_("Open to the whole Internet: the box forwards to it"),
    Way.UNKNOWN: N_("Open in the practice; not checked from outside"),
    Way.INSIDE: N_("Open in the practice only; closed from outside"),
    Way.UNCLEAR: N_("Not understood"),
    Way.QUIET: N_("Nothing to report"),
}


@dataclass(frozen=True, slots=True)
class Spot:
    """One machine of the picture, with its findings, most serious first."""

    machine: Machine
    way: Way = Way.QUIET
    findings: tuple[Finding, ...] = ()
    outside_ports: tuple[int, ...] = ()  # of the box, that lead here

    @property
    def severity(self) -> Severity | None:
        return self.findings[0].severity if self.findings else None

    @property
    def is_open(self) -> bool:
        """Whether a red line leads here."""
        worst = self.severity
        return self.way in RED or (worst is not None and RANKS[worst] <= OPEN)


@dataclass(frozen=True, slots=True)
class Group:
    """Machines that are only counted."""

    kind: Kind
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """The whole of it. `rest`: machines with findings that are not drawn one by one, by the
    severity of their worst; `unclear`: those of which nothing can be said."""

    box: Spot
    spots: tuple[Spot, ...]
    rest: tuple[tuple[Severity, int], ...]
    unclear: tuple[Group, ...]
    quiet: tuple[Group, ...]
    looked: bool  # somebody tried from outside
    shared: bool

    @property
    def outside(self) -> Way:
        """How the Internet reaches this practice, at worst."""
        ways = {self.box.way, *(each.way for each in self.spots if each.is_open)}
        known = next((each for each in RED if each in ways), None)
        if known is not None:
            return known
        return Way.INSIDE if self.looked and Way.UNKNOWN not in ways else Way.UNKNOWN

    @property
    def outside_ports(self) -> tuple[int, ...]:
        """The box's ports that lead to a machine."""
        return tuple(sorted({port for each in self.spots for port in each.outside_ports}))


def picture_of(report: Report, most: int = MOST) -> Picture:
    """The picture of one audit, just made or kept."""
    scan = report.scan
    return picture(
        report.findings,
        machines_of(scan),
        forwardings_of(scan),
        unclear={each.place.host for each in scan.services if why_unclear(each)},
        looked=bool(TRIED & set(scan.outside_by)),
        shared=scan.shared
        or any(each.outside is Outside.SHARED_ADDRESS for each in report.findings),
        most=most,
    )


def picture(
    findings: Iterable[Finding],
    machines: Iterable[Machine] = (),
    forwardings: Iterable[Forwarding] = (),
    *,
    unclear: Collection[str] = (),
    looked: bool = False,
    shared: bool = False,
    most: int = MOST,
) -> Picture:
    """The picture of one practice.

    Args:
        findings: what is open, in any order.
        machines: what was seen (`machines.machines_of`); a machine that only findings name is
            drawn as what they tell.
        forwardings: the box's list (`machines.forwardings_of`).
        unclear: addresses with a service that was not understood.
        looked: whether a peer or an imported scan tried from outside.
        shared: the practice shares its public address with strangers.
        most: machines drawn one by one.
    """
    known = {each.host: each for each in machines}
    by_host = _by_host(findings, known)
    led = _led(forwardings)
    hosts = sorted({*known, *by_host, *led}, key=place_order)
    spots = [
        _spot(
            known.get(host) or told_by_check(host, by_host.get(host, ())),
            by_host.get(host, ()),
            led.get(host, ()),
            host in unclear,
        )
        for host in hosts
    ]
    boxes = (each for each in spots if each.machine.kind is Kind.BOX)
    box = max(boxes, key=lambda each: len(each.findings), default=None)
    others = [each for each in spots if each is not box]
    named = sorted((each for each in others if each.way not in COUNTED), key=_weight)
    return Picture(
        _opened(box or Spot(Machine("", Kind.BOX))),
        tuple(named[:most]),
        _rest(named[most:]),
        _groups(each for each in others if each.way is Way.UNCLEAR),
        _groups(each for each in others if each.way is Way.QUIET),
        looked,
        shared,
    )


def _by_host(findings: Iterable[Finding], known: Mapping[str, Machine]) -> dict[str, list[Finding]]:
    """Findings by address; what is said of the box as such stands at the box, "" when unknown."""
    box = next((host for host, each in known.items() if each.kind is Kind.BOX), "")
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        host = finding.place.host if is_address(finding.place.host) else box
        found.setdefault(host, []).append(finding)
    return found


def _spot(
    machine: Machine, findings: Sequence[Finding], ports: tuple[int, ...], unclear: bool
) -> Spot:
    ordered = sorted(findings, key=lambda each: (RANKS[each.severity], each.id, each.place.port))
    return Spot(machine, _way(findings, bool(ports), unclear), tuple(ordered), ports)


def _way(findings: Sequence[Finding], forwarded: bool, unclear: bool) -> Way:
    outsides = {each.outside for each in findings}
    if Outside.CONFIRMED in outsides:
        return Way.OUTSIDE
    if forwarded:
        return Way.FORWARDED
    if not findings:
        return Way.UNCLEAR if unclear else Way.QUIET
    return Way.INSIDE if outsides == {Outside.CLOSED} else Way.UNKNOWN


def _opened(box: Spot) -> Spot:
    """What the box itself is known to let in: its own forwardings, DMZ mode, rules by hand."""
    lets_in = any(
        each.id in ("X22", "X23") and RANKS[each.severity] <= OPEN for each in box.findings
    )
    if box.way is Way.OUTSIDE or not lets_in:
        return box
    return replace(box, way=Way.FORWARDED)


def _led(forwardings: Iterable[Forwarding]) -> dict[str, tuple[int, ...]]:
    led: dict[str, set[int]] = {}
    for each in forwardings:
        led.setdefault(each.host, set()).add(each.outside_port)
    return {host: tuple(sorted(ports)) for host, ports in led.items()}


def _weight(spot: Spot) -> tuple[int, int, int]:
    """What is drawn first: the most serious, then what the Internet reaches, then the most."""
    worst = RANKS[spot.severity] if spot.severity else len(RANKS)
    return worst, [*Way].index(spot.way), -len(spot.findings)


def _rest(spots: Iterable[Spot]) -> tuple[tuple[Severity, int], ...]:
    found = Counter(each.severity or Severity.INFO for each in spots)
    return tuple((each, found[each]) for each in Severity if found[each])


def _groups(spots: Iterable[Spot]) -> tuple[Group, ...]:
    found: dict[Kind, list[str]] = {}
    for each in spots:
        found.setdefault(each.machine.kind, []).append(each.machine.host)
    return tuple(Group(kind, tuple(found[kind])) for kind in Kind if kind in found)


def summed(picture: Picture, say: Say) -> str:
    """The picture in one sentence."""
    drawn = [each for each in picture.spots if each.is_open]
    sentence = say(
        N_(
            "Machines open to the whole Internet: {outside}. Open in the practice's network: {inside}. Nothing to report: {quiet}."
        ),
        {
            "outside": sum(each.way in RED for each in drawn),
            "inside": sum(each.way not in RED for each in drawn)
            + sum(count for severity, count in picture.rest if RANKS[severity] <= OPEN),
            "quiet": sum(len(each.hosts) for each in picture.quiet),
        },
    )
    unclear = sum(len(each.hosts) for each in picture.unclear)
    more = say(N_("Not understood: {count}."), {"count": unclear}) if unclear else ""
    return f"{sentence} {more}".strip()


def from_internet(picture: Picture, say: Say) -> str:
    """What is known of the way from the Internet to the box."""
    if picture.outside in RED:
        ports = picture.outside_ports
        unsaid = any(each.way is Way.OUTSIDE and not each.outside_ports for each in picture.spots)
        if not ports or unsaid:
            return say(N_("Lets the Internet in"), {})
        text = N_("Lets the Internet in: port {ports}")
        if len(ports) > 1:
            text = N_("Lets the Internet in: ports {ports}")
        return say(text, {"ports": ", ".join(map(str, ports[:PORTS]))})
    if picture.shared:
        return say(N_("shared address, not checked"), {})
    if picture.outside is Way.INSIDE:
        return say(N_("Tried from outside: closed"), {})
    return say(N_("not checked from outside"), {})


def told(picture: Picture, say: Say) -> list[str]:
    """The picture as sentences, one an item of a list."""
    lines = [_stated(say(N_("Internet"), {}), from_internet(picture, say), say)]
    lines.extend(_told(spot, say) for spot in (picture.box, *picture.spots))
    for severity, count in picture.rest:
        more = say(N_("other machines: {count}"), {"count": count})
        lines.append(f"{say(SEVERITIES[severity], {})}, {more}")
    for way, groups in ((Way.UNCLEAR, picture.unclear), (Way.QUIET, picture.quiet)):
        how = say(WAYS[way], {})
        lines.extend(_stated(grouped(group, say), how, say) for group in groups)
    return lines


def _stated(what: str, how: str, say: Say) -> str:
    return say(N_("{what}: {how}"), {"what": what, "how": how})


def grouped(group: Group, say: Say) -> str:
    """A group by its name: how many, or which one."""
    name = say(KINDS[group.kind], {})
    return f"{name} × {len(group.hosts)}" if len(group.hosts) > 1 else f"{name} {group.hosts[0]}"


def detailed(finding: Finding, say: Say) -> str:
    """Where on the machine, and how much can be read there."""
    parts = []
    if finding.place.port:
        parts.append(say(N_("port {port}"), {"port": finding.place.port}))
    if finding.readable is not None:
        parts.append(say(UNITS[finding.readable.unit], {"count": counted(finding.readable)}))
    return ", ".join(parts)


def _told(spot: Spot, say: Say) -> str:
    head = f"{say(KINDS[spot.machine.kind], {})} {spot.machine.host}".strip()
    stated = [
        f"{say(SEVERITIES[each.severity], {})}, {say(each.title, {})}"
        + (f" ({detail})" if (detail := detailed(each, say)) else "")
        for each in spot.findings
    ]
    return _stated(head, ". ".join([say(WAYS[spot.way], {}), *stated]), say)
