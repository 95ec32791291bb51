"""Findings over time: new, gone, still open since when; accepted by whom, why, until when.

A finding is gone only when a later audit looked at its place with its check and did not state it. So
the ledger tells when an exposure was first seen, and the last audit before that looked there and saw
nothing (`not_before`): what the duration of an incident is read from. Holds no patient's value.
What the audits saw beside is `sighting`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    collapse_addresses,
    ip_address,
    ip_network,
)
from typing import Any, Final

from serment.core.exposure.findings import RANKS, Finding, NotChecked, Outside, Place
from serment.core.exposure.sighting import Sighting, joined
from serment.errors import N_, FormatError

Key = tuple[str, str, int]  # id, host, port

SCANS_KEPT: Final = 500
_ANNOUNCED: Final = frozenset({"X22"})  # the box says itself at which port it answers
KNOWN_KEPT: Final = 5000


@dataclass(frozen=True, slots=True)
class Looked:
    """What one audit looked at. `networks`: CIDR; `ports`: (low, high); `only`: ids, () = all."""

    networks: tuple[str, ...]
    ports: tuple[tuple[int, int], ...]
    only: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()  # (id, host) that could not be checked

    def covers(self, key: Key) -> bool:
        """Whether it would have stated that finding, had it been there."""
        check, host, port = key
        if self.only and check not in self.only:
            return False
        if (check, host) in self.skipped or (check, "") in self.skipped:
            return False
        return self._port(port, announced=check in _ANNOUNCED) and self._host(host)

    def covers_place(self, place: Place) -> bool:
        """Whether it would have seen a service there."""
        return self._port(place.port, announced=place.proto == "igd") and self._host(place.host)

    def _port(self, port: int, *, announced: bool) -> bool:
        return announced or not port or any(low <= port <= high for low, high in self.ports)

    def _host(self, host: str) -> bool:
        try:
            address = ip_address(host.partition("%")[0])
        except ValueError:
            return True  # the box as such: looked at unless it was skipped
        networks = map(ip_network, self.networks)
        return any(each.version == address.version and address in each for each in networks)


@dataclass(frozen=True, slots=True)
class Known:
    """One finding: as last stated, and when. Times are of audits, aware UTC."""

    finding: Finding
    first: datetime  # ever
    since: datetime  # of the present, or last, stretch
    seen: datetime  # last
    gone: datetime | None = None
    not_before: datetime | None = None  # an audit that looked there before `since`: nothing yet


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Somebody answers for leaving a finding as it is."""

    key: Key
    who: str
    why: str
    until: date
    at: datetime


@dataclass(frozen=True, slots=True)
class Made:
    """One audit that was made."""

    at: datetime
    authorised_by: str
    addresses: int
    findings: int
    looked: Looked


@dataclass(frozen=True, slots=True)
class Ledger:
    """All of it, as kept."""

    known: Mapping[Key, Known] = field(default_factory=dict)
    accepted: Mapping[Key, Acceptance] = field(default_factory=dict)
    scans: tuple[Made, ...] = ()
    seen: Sighting = field(default_factory=Sighting)

    @property
    def open(self) -> list[Known]:
        """What the last audits that looked there stated."""
        return [each for each in self.known.values() if each.gone is None]

    @property
    def authorised_by(self) -> str:
        """Who answered for the last audit that somebody had to answer for; empty before."""
        names = (each.authorised_by for each in reversed(self.scans))
        return next(filter(None, names), "")

    def is_accepted(self, key: Key, today: date) -> bool:
        """Whether somebody still answers for it."""
        found = self.accepted.get(key)
        return found is not None and today <= found.until


@dataclass(frozen=True, slots=True)
class Changes:
    """What an audit changed: new (or back), gone, still open."""

    new: tuple[Known, ...]
    gone: tuple[Known, ...]
    still: tuple[Known, ...]


def looked_at(
    addresses: Iterable[str],
    ports: Iterable[int],
    only: Collection[str],
    skipped: Iterable[NotChecked],
) -> Looked:
    """The compact form of a scope."""
    parsed = [ip_address(each.partition("%")[0]) for each in addresses]
    four = [IPv4Network(each) for each in parsed if isinstance(each, IPv4Address)]
    six = [IPv6Network(each) for each in parsed if isinstance(each, IPv6Address)]
    networks = (*collapse_addresses(four), *collapse_addresses(six))
    return Looked(
        tuple(map(str, networks)),
        _ranges(ports),
        tuple(sorted(only)),
        tuple(sorted({(each.check, each.host) for each in skipped})),
    )


def update(
    ledger: Ledger, findings: Sequence[Finding], made: Made, seen: Sighting | None = None
) -> tuple[Ledger, Changes]:
    """The ledger after one more audit, and what it changed. `seen` None: nobody kept it."""
    known = dict(ledger.known)
    new, gone, still = list[Known](), list[Known](), list[Known]()
    stated = {each.key: each for each in findings}
    for key, finding in stated.items():
        before = known.get(key)
        if before is None or before.gone is not None:
            first = before.first if before else made.at
            known[key] = Known(
                finding, first, made.at, made.at, None, _last_look(ledger.scans, key)
            )
            new.append(known[key])
        else:
            known[key] = replace(before, finding=_remembered(before.finding, finding), seen=made.at)
            still.append(known[key])
    for key, before in ledger.known.items():
        if key not in stated and before.gone is None and made.looked.covers(key):
            known[key] = replace(before, gone=made.at)
            gone.append(known[key])
    after = replace(ledger, known=_bounded(known), scans=(*ledger.scans, made)[-SCANS_KEPT:])
    if seen is not None:
        covers, recheck = made.looked.covers_place, bool(made.looked.only)
        after = replace(after, seen=joined(ledger.seen, seen, covers, recheck=recheck))
    return after, Changes(tuple(new), tuple(gone), tuple(still))


def _remembered(before: Finding, now: Finding) -> Finding:
    """As stated now; but who was reached from outside stays so, as serious as then, until somebody
    tries from outside again: an audit made from inside alone does not close it."""
    if before.outside is not Outside.CONFIRMED or now.outside is not Outside.NOT_CHECKED:
        return now
    severity = min(before.severity, now.severity, key=RANKS.__getitem__)
    return replace(now, outside=before.outside, severity=severity)


def accept(ledger: Ledger, acceptance: Acceptance) -> Ledger:
    """The ledger with a finding accepted; an earlier acceptance of it is replaced."""
    return replace(ledger, accepted={**ledger.accepted, acceptance.key: acceptance})


def baseline_keys(document: Any) -> frozenset[Key]:
    """The findings of an earlier `--json` answer.

    Raises:
        FormatError: it is no such answer.
    """
    try:
        return frozenset(
            (str(each["id"]), str(each["host"]), int(each["port"])) for each in document["findings"]
        )
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(
            N_("the baseline is no answer of `serment scan network --json`"),
            hint=N_("make one: serment scan network --json > baseline.json"),
        ) from error


def _last_look(scans: Iterable[Made], key: Key) -> datetime | None:
    return max((each.at for each in scans if each.looked.covers(key)), default=None)


def _ranges(ports: Iterable[int]) -> tuple[tuple[int, int], ...]:
    found: list[list[int]] = []
    for port in sorted(set(ports)):
        if found and port == found[-1][1] + 1:
            found[-1][1] = port
        else:
            found.append([port, port])
    return tuple((low, high) for low, high in found)


def _bounded(known: dict[Key, Known]) -> dict[Key, Known]:
    """Without the oldest of those that are gone, when there are far too many."""
    if len(known) <= KNOWN_KEPT:
        return known
    ended = sorted((each.gone, key) for key, each in known.items() if each.gone is not None)
    for _, key in ended[: len(known) - KNOWN_KEPT]:
        del known[key]
    return known
