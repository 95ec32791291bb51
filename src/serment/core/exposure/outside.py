"""The view from the Internet, joined to what was seen inside: reached, tried, explained or not.

Sights come from a helper outside (`peer`) or from an imported scan (`imported`). A box forwards a port
to a machine inside; which one is known from its UPnP list, or when only one machine has such a port
open. What is known by neither stays at the address outside, and speaks for DMZ mode or rules by hand
(X23). A port that was tried and is closed says so of the machines that have it, not of one to which
another port leads. An imported scan counts for addresses that are known to be the practice's, no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from serment.core.exposure.findings import Outside, Place
from serment.core.exposure.peer.rules import boxes, canonical, is_shared
from serment.core.exposure.seen import Gateway, Scan, Service
from serment.errors import N_, UsageError

# What a helper calls by one name that an audit inside knows more closely.
_SAME: Final[Mapping[str, frozenset[str]]] = {
    "http": frozenset({"http", "igd", "webdav", "elasticsearch"}),
    "ftp": frozenset({"ftp", "ftps"}),
}
_UNTOLD: Final = frozenset({"", "unknown", "silent"})


@dataclass(frozen=True, slots=True)
class Sight:
    """One port tried from outside."""

    address: str
    port: int
    is_open: bool
    protocol: str = ""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a helper saw from outside. `shared`: the address is not the practice's alone; nothing was
    tried."""

    by: str  # the helper's name
    address: str  # of the practice, as the helper sees it
    shared: bool = False
    sights: tuple[Sight, ...] = ()


@dataclass(frozen=True, slots=True)
class Imported:
    """A scan that others made. `kept`: of the practice's own addresses; `others`: the open ports of
    each other address; `shared`: the practice's is shared with strangers, so that nothing is kept."""

    kept: tuple[Sight, ...] = ()
    others: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    shared: bool = False


def join(scan: Scan, sights: Iterable[Sight], by: str, *, shared: bool = False) -> Scan:
    """The scan with what was tried from outside; `by` is how ("peer", "import").

    `shared`: the public address is shared with strangers, so that nothing tried there says
    anything about this practice; then nobody looked.
    """
    if shared:
        return replace(scan, shared=True)
    done = (*(each for each in scan.outside_by if each != by), by)
    inside = _Inside(scan, believed=by == "peer")
    reached, tried = set(scan.reached), set(scan.tried)
    for sight in sights:
        if sight.is_open:
            reached.add(inside.led_to(sight))
        else:
            tried |= inside.closed(sight)
    return replace(
        scan,
        reached=frozenset(reached),
        tried=frozenset(tried - reached),
        outside_by=done,
    )


def ours(scan: Scan, sights: Iterable[Sight], known: Iterable[str] = ()) -> Imported:
    """Tells an imported scan apart: anybody's address can be scanned, and only what is known to be the
    practice's says something of it.

    Args:
        known: addresses that were proved, that a helper saw, or that somebody named (`own_address`);
            those that a box states and the public ones that were audited are known as well.
    """
    stated = set(boxes(scan)) - {""}
    if scan.shared or any(is_shared(each) for each in stated):
        return Imported(shared=True)
    audited = {each.place.host for each in scan.services if _is_public(each.place.host)}
    mine = {canonical(each) for each in (*stated, *audited, *known)}
    kept: list[Sight] = []
    others: dict[str, list[int]] = {}
    for sight in sights:
        if canonical(sight.address) in mine:
            kept.append(sight)
        else:
            others.setdefault(sight.address, []).extend([sight.port] if sight.is_open else ())
    return Imported(tuple(kept), {each: tuple(sorted(ports)) for each, ports in others.items()})


def own_address(text: str) -> str:
    """An address that somebody names as the practice's own on the Internet.

    Raises:
        UsageError: it is no address, or one that many networks have.
    """
    try:
        address = canonical(text.strip())
        if not is_shared(address):
            return address
    except ValueError:
        pass
    raise UsageError(
        N_("{text} is no address of the Internet"),
        hint=N_("name the one that the box's own page shows as its public address, as 203.0.113.7"),
        text=text[:80],
    )


def outside_of(scan: Scan, place: Place) -> Outside:
    """What is known of the outside view of a place; never "closed" unless somebody tried."""
    if _among(scan.reached, place):
        return Outside.CONFIRMED
    if _among(scan.tried, place):
        return Outside.CLOSED
    if scan.shared and not _is_public(place.host):
        return Outside.SHARED_ADDRESS
    return Outside.NOT_CHECKED


def unexplained(scan: Scan) -> frozenset[Place]:
    """Places reached from outside that no UPnP forwarding leads to, and that have no address of
    their own there."""
    mapped = {(place.host, place.port) for place in _forwarded(scan).values()}
    public = {
        (each.place.host, each.place.port) for each in scan.services if _is_public(each.place.host)
    }
    return frozenset(each for each in scan.reached if (each.host, each.port) not in mapped | public)


class _Inside:
    """What listens inside, by the ways that lead to it from outside.

    `believed`: the protocols of sights are what answered there, not what the port's number suggests.
    """

    def __init__(self, scan: Scan, *, believed: bool) -> None:
        self._services = {(each.place.host, each.place.port): each for each in scan.services}
        self._forwarded = _forwarded(scan)
        self._believed = believed

    def led_to(self, sight: Sight) -> Place:
        """The place that an open port leads to; itself when that is not known."""
        if sure := self._sure(sight):
            return sure
        likely = [
            each.place
            for each in self._at(sight.port)
            if not self._believed or _agrees(each, sight.protocol)
        ]
        return likely[0] if len(likely) == 1 else Place(sight.address, sight.port, sight.protocol)

    def closed(self, sight: Sight) -> set[Place]:
        """The places that are not reached by a closed port; the port itself is one."""
        itself = Place(sight.address, sight.port)
        if sure := self._sure(sight):
            return {sure, itself}
        elsewhere = {(place.host, place.port) for place in self._forwarded.values()}
        found = {
            each.place
            for each in self._at(sight.port)
            if (each.place.host, each.place.port) not in elsewhere
        }
        return found | {itself}

    def _sure(self, sight: Sight) -> Place | None:
        if own := self._services.get((sight.address, sight.port)):
            return own.place
        led = self._forwarded.get(sight.port)
        if led is None:
            return None
        known = self._services.get((led.host, led.port))
        return known.place if known else led

    def _at(self, port: int) -> list[Service]:
        """Who has that port behind a box; an address of the Internet is reached by itself alone."""
        return [
            each
            for (host, own), each in self._services.items()
            if own == port and not _is_public(host)
        ]


def _among(places: Iterable[Place], place: Place) -> bool:
    return any((each.host, each.port) == (place.host, place.port) for each in places)


def _forwarded(scan: Scan) -> dict[int, Place]:
    """Where the box leads from each of its outside ports."""
    return {
        mapping.outside_port: Place(mapping.host, mapping.port)
        for each in scan.services
        if isinstance(each.facts, Gateway)
        for mapping in each.facts.mappings
        if mapping.protocol != "UDP"
    }


def _agrees(service: Service, protocol: str) -> bool:
    """Whether what answered outside may be this service."""
    if protocol in _UNTOLD or service.protocol in _UNTOLD:
        return True
    if protocol == "tls":
        return service.tls is not None
    return service.tls is None and service.protocol in _SAME.get(protocol, {protocol})


def _is_public(host: str) -> bool:
    """Whether it has an address of its own on the Internet, whatever stands before others; False for
    what is no address ("box")."""
    try:
        return not is_shared(host)
    except ValueError:
        return False
