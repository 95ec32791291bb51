"""What one audit can say of a place: who answered, which ports refused, what was understood, what was
tried from outside.

Silence is no news: a machine that was off, or a service that was cut or busy (`unclear`), says nothing of
what was found there before. What becomes of a finding is `history`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    collapse_addresses,
    ip_address,
    ip_network,
)
from typing import Final, TypeAlias

from serment.core.exposure.findings import Finding, NotChecked, Place, Way
from serment.core.exposure.seen import Gateway, Scan
from serment.core.exposure.unclear import why_unclear
from serment.core.exposure.ways import is_public

Key: TypeAlias = tuple[str, str, int]  # id, host, port
Ranges: TypeAlias = tuple[tuple[int, int], ...]  # low, high
Hosts: TypeAlias = tuple[tuple[str, Ranges], ...]  # ports by host
Names: TypeAlias = tuple[tuple[str, str], ...]  # addresses and the names they were given by

_CHECK: Final = re.compile(r"X\d\d")
_ANNOUNCED: Final = frozenset({"X22"})  # the box says itself at which port it answers
_ALL_TOLD: Final = 0  # port among those `settled`: a box listed every forwarding it has
# At a port: that was reached from outside; at none: what somebody says of the box.
_FROM_OUTSIDE: Final = "X23"
_BOX: Final = ("box", 0)  # the questions about it, among what was tried from outside
_BY_NAME: Final = frozenset({"http", "webdav", "elasticsearch"})  # another name, another answer
_DATAGRAMS: Final = frozenset(
    {"snmp", "igd"}
)  # nobody refuses over UDP: who answers no more is silent


@dataclass(frozen=True, slots=True)
class Looked:
    """What one audit looked at. `networks`: CIDR; `ports`: those asked; `only`: ids, () = all.

    `answered`: networks of those who did; None = not recorded, as in histories of before. `unclear`:
    what was cut, busy, not understood, or is forwarded to and was not met. `outside`: what was tried from
    outside, the questions about the box included. `names`: those that web servers were called by. Not
    kept: `refused` ports; `settled`, whose service was understood; `missed`, what was not asked any
    more (`seen.Missed`): a host of which not all was asked is not among `answered`.
    """

    networks: tuple[str, ...]
    ports: Ranges
    only: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()  # (id, host) that could not be checked, "" = nowhere
    answered: tuple[str, ...] | None = None
    unclear: Hosts = ()
    outside: Hosts = ()
    settled: Hosts = ()
    refused: Hosts = ()
    missed: Hosts = ()
    names: Names = ()
    resolved: Hosts = ()  # ports outside that are closed, or lead to a known machine; not kept

    def untried(self, host: str, ways: Iterable[Way]) -> tuple[Way, ...]:
        """Those of the ways by which a machine was reached of which nothing else is known now. Where the
        address is not known: at its own, or at any of a box."""
        return tuple(way for way in ways if not self._is_resolved(host, *way))

    def _is_resolved(self, host: str, address: str, port: int) -> bool:
        wanted = address or (host if is_public(host) else "")
        return any(
            _within(ranges, port)
            for out, ranges in self.resolved
            if (out == wanted if wanted else is_public(out) and ":" not in out)
        )

    @property
    def kept(self) -> Looked:
        """What later audits need of it."""
        return replace(self, settled=(), refused=(), missed=(), resolved=())

    def called(self, place: Place) -> frozenset[str]:
        """The names by which it called what answers there otherwise under another."""
        if place.proto not in _BY_NAME:
            return frozenset()
        return frozenset(name for host, name in self.names if host == place.host)


class Coverage:
    """What an audit looked at, ready to be asked about many places."""

    def __init__(self, looked: Looked) -> None:
        self._looked = looked
        self._skipped = frozenset(looked.skipped)
        self._scope = _Addresses(looked.networks)
        told = looked.answered
        self._answered = self._scope if told is None else _Addresses(told)
        self._unclear, self._outside = dict(looked.unclear), dict(looked.outside)
        self._settled, self._refused = dict(looked.settled), dict(looked.refused)
        self._missed, self._resolved = dict(looked.missed), dict(looked.resolved)

    def aims(self, key: Key, proto: str = "") -> bool:
        """Whether it was to look for that finding. `proto`: of its place; over UDP it is asked whatever the
        ports."""
        check, host, port = key
        if self._looked.only and check not in self._looked.only:
            return False
        if check == _FROM_OUTSIDE and not port:
            return _among(self._outside, *_BOX)
        if (check, "") in self._skipped:
            return False
        if check == _FROM_OUTSIDE:
            return True
        told = check in _ANNOUNCED or proto in _DATAGRAMS
        return self._port(port, announced=told) and self._scope.holds(host)

    def covers(self, key: Key, proto: str = "") -> bool:
        """Whether it would have stated that finding, had it been there: its check could be made."""
        check, host, port = key
        if not self.aims(key, proto) or (check, host) in self._skipped:
            return False
        if check == _FROM_OUTSIDE:
            return not port or _among(self._outside, host, port)
        there = check in _ANNOUNCED or self._answered.holds(host)  # it is the box that tells
        return there and not _among(self._unclear, host, port)

    def ends(self, finding: Finding, boxes: Collection[Place] = ()) -> bool:
        """Whether a known finding that it does not state is gone: the port refused, or what is there
        was understood and is free of it; of what was reached, every way was tried. `boxes`: where those
        were that may have told of it."""
        (check, host, port), proto = finding.key, finding.place.proto
        wanted = not self._looked.only or check in self._looked.only
        if check in _ANNOUNCED and self._is_shut(finding):
            return wanted
        if not self.covers(finding.key, proto) or (
            proto == "igd" and not self._answered.holds(host)
        ):
            return False
        if check in _ANNOUNCED:
            return self._all_told({finding.place} if proto == "igd" else boxes)
        if check == _FROM_OUTSIDE:
            return not self._looked.untried(host, finding.reached_by)
        if not port or proto in _DATAGRAMS:
            return True
        return _among(self._settled, host, port) or _among(self._refused, host, port)

    def left(self, finding: Finding) -> Finding:
        """A finding that it did not state, with the ways that nobody tried again yet; unchanged where it
        could not have stated it, or nothing is left."""
        if finding.id != _FROM_OUTSIDE or not self.covers(finding.key):
            return finding
        left = self._looked.untried(finding.place.host, finding.reached_by)
        return replace(finding, reached_by=left or finding.reached_by)

    def _is_shut(self, finding: Finding) -> bool:
        """Whether nothing is left of a forwarding that no box tells. A box whose UPnP port refuses has
        UPnP switched off: that ends what it told of itself, not what it may forward still, unless that
        port was tried from outside and nothing else leads there."""
        _, host, port = finding.key
        if is_box(finding):
            return _among(self._refused, host, port)
        led = forwarded_from(finding)
        shut = led > 0 and _among(self._resolved, host, port)
        return shut and not self._looked.untried(host, [*finding.reached_by, ("", led)])

    def _all_told(self, boxes: Collection[Place]) -> bool:
        """Whether all that are boxes still told every forwarding they have, and one did at least."""
        left = {each.host for each in boxes if not self._is_no_box(each)}
        told = {host for host, ranges in self._settled.items() if _within(ranges, _ALL_TOLD)}
        return bool(boxes) and bool(told) and left <= told

    def _is_no_box(self, place: Place) -> bool:
        """Whether what called itself a box there answers, and offers nothing any more: a box whose UPnP is
        switched off has a page of its own still, and may forward."""
        met = self._settled.get(place.host) or self._unclear.get(place.host)
        return not met and _among(self._refused, place.host, place.port)

    def answers(self, host: str) -> bool:
        """Whether anything there did; True for what is no address."""
        return self._answered.holds(host) or host in self._missed

    def holds(self, place: Place) -> bool:
        """Whether it would have seen a service there."""
        asked = self._port(place.port, announced=place.proto in _DATAGRAMS)
        by = 0 if place.proto in _DATAGRAMS else place.port
        return asked and self._scope.holds(place.host) and not _among(self._missed, place.host, by)

    def _port(self, port: int, *, announced: bool) -> bool:
        return announced or not port or _within(self._looked.ports, port)


def looked_at(
    addresses: Iterable[str],
    ports: Iterable[int],
    only: Collection[str],
    skipped: Iterable[NotChecked],
    scan: Scan,
    names: Names = (),
) -> Looked:
    """The compact form of a scope, and of who answered in it."""
    refused = {each.host: each.refused for each in scan.answered}
    missed = {(each.host, each.port) for each in scan.missed.places} if scan.missed else set()
    talked = {each.place.host for each in scan.services if each.protocol != "silent"}
    met = {(each.place.host, each.place.port) for each in scan.services}
    understood = met - {  # by everything at that port
        (each.place.host, each.place.port) for each in scan.services if why_unclear(each)
    }
    led = {
        (mapping.host, mapping.port)
        for each in scan.services
        if isinstance(each.facts, Gateway)
        for mapping in each.facts.mappings
        if not _within(refused.get(mapping.host, ()), mapping.port)
    }
    unclear = (met | led) - understood
    settled: dict[str, list[tuple[int, int]]] = {}
    for host, port in understood:
        settled.setdefault(host, []).append((port, port))
    for each in scan.services:
        if isinstance(each.facts, Gateway) and each.facts.is_whole:
            settled.setdefault(each.place.host, []).append((_ALL_TOLD, _ALL_TOLD))
    reached = {(each.host, each.port) for each in scan.reached}
    known = {(each.host, each.port) for each in (*scan.tried, *(out for out, _ in scan.led))}
    tried = reached | known
    if None not in (scan.dmz, scan.manual_rules):
        tried.add(_BOX)
    return Looked(
        _networks(addresses),
        _ranges(ports),
        tuple(sorted(only)),
        _skipped(skipped, only, unclear),
        _networks({*refused, *talked} - {host for host, _ in missed}),
        _by_host(unclear),
        _by_host(tried),
        tuple((host, tuple(ranges)) for host, ranges in settled.items()),
        tuple(refused.items()),
        _by_host(missed),
        names,
        _by_host(known - reached),
    )


def is_box(finding: Finding) -> bool:
    """Whether it is told of a box that lists what it forwards."""
    return finding.id in _ANNOUNCED and finding.place.proto == "igd"


def forwarded_from(finding: Finding) -> int:
    """The port outside that a box said it forwards there; 0 for other findings."""
    port = finding.values.get("outside") if finding.id in _ANNOUNCED else 0
    return port if isinstance(port, int) else 0


def unanswered(addresses: Iterable[str], scan: Scan) -> tuple[str, ...]:
    """Those of the addresses where nothing answered."""
    there = {each.host for each in scan.answered}
    there |= {each.place.host for each in scan.services if each.protocol != "silent"}
    if scan.missed:
        there |= {each.host for each in scan.missed.places}
    return tuple(each for each in addresses if each not in there)


def _skipped(
    lines: Iterable[NotChecked], only: Collection[str], unclear: Collection[tuple[str, int]]
) -> tuple[tuple[str, str], ...]:
    """Of what was not checked, what is asked about: checks that were looked for, by id; services that were
    not understood have theirs in `unclear`, and hide none at another port. A check that could not be made
    anywhere is one pair."""
    ids = (
        (each.check, each.host)
        for each in lines
        if _CHECK.fullmatch(each.check)
        and (each.check in _ANNOUNCED or (each.host, each.values.get("port")) not in unclear)
    )
    pairs = {each for each in ids if not only or each[0] in only}
    return tuple(sorted(each for each in pairs if not each[1] or (each[0], "") not in pairs))


class _Addresses:
    """Networks, parsed once; asked by halving."""

    def __init__(self, networks: Iterable[str]) -> None:
        parsed = [ip_network(each) for each in networks]
        self._spans = sorted(
            (each.version, int(each.network_address), int(each.broadcast_address))
            for each in parsed
        )

    def holds(self, host: str) -> bool:
        """The box as such, which is no address, is held: it was looked at unless it was skipped."""
        try:
            address = ip_address(host.partition("%")[0])
        except ValueError:
            return True
        number = int(address)
        at = bisect_right(self._spans, (address.version, number, 1 << 128)) - 1
        if at < 0:
            return False
        version, low, high = self._spans[at]
        return version == address.version and low <= number <= high


def _networks(addresses: Iterable[str]) -> tuple[str, ...]:
    parsed = [ip_address(each.partition("%")[0]) for each in addresses]
    four = [IPv4Network(each) for each in parsed if isinstance(each, IPv4Address)]
    six = [IPv6Network(each) for each in parsed if isinstance(each, IPv6Address)]
    return tuple(map(str, (*collapse_addresses(four), *collapse_addresses(six))))


def _by_host(places: Iterable[tuple[str, int]]) -> Hosts:
    found: dict[str, list[int]] = {}
    for host, port in places:
        found.setdefault(host, []).append(port)
    return tuple((host, _ranges(found[host])) for host in sorted(found))


def _ranges(ports: Iterable[int]) -> Ranges:
    found: list[list[int]] = []
    for port in sorted(set(ports)):
        if found and port == found[-1][1] + 1:
            found[-1][1] = port
        else:
            found.append([port, port])
    return tuple((low, high) for low, high in found)


def _among(hosts: dict[str, Ranges], host: str, port: int) -> bool:
    return _within(hosts.get(host, ()), port)


def _within(ranges: Ranges, port: int) -> bool:
    return any(low <= port <= high for low, high in ranges)
