"""The view from the Internet, joined to what was seen inside: reached, tried, explained or not.

Sights come from a peer outside or from an imported scan (`imported`). A box forwards a port to a
machine inside; which one is known from its UPnP list, or when only one machine has such a port open.
What is known by neither stays at the address outside, and speaks for DMZ mode or rules by hand (X23).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from serment.core.exposure.findings import Outside, Place
from serment.core.exposure.seen import Gateway, Scan


@dataclass(frozen=True, slots=True)
class Sight:
    """One port tried from outside."""

    address: str
    port: int
    is_open: bool
    protocol: str = ""


Inside = Mapping[tuple[str, int], Place]


def join(scan: Scan, sights: Iterable[Sight], by: str, *, shared: bool = False) -> Scan:
    """The scan with what was tried from outside; `by` is how ("peer", "import").

    `shared`: the public address is shared with strangers, so that nothing tried there says
    anything about this practice.
    """
    done = (*(each for each in scan.outside_by if each != by), by)
    if shared:
        return replace(scan, shared=True, outside_by=done)
    inside = {(each.place.host, each.place.port): each.place for each in scan.services}
    forwarded = _forwarded(scan, inside)
    alone = _alone(inside)
    reached, tried = set(scan.reached), set(scan.tried)
    for sight in sights:
        place = (
            inside.get((sight.address, sight.port))
            or forwarded.get(sight.port)
            or alone.get(sight.port)
            or Place(sight.address, sight.port, sight.protocol)
        )
        tried.add(place)
        if sight.is_open:
            reached.add(place)
    return replace(
        scan, reached=frozenset(reached), tried=frozenset(tried - reached), outside_by=done
    )


def outside_of(scan: Scan, place: Place) -> Outside:
    """What is known of the outside view of a place; never "closed" unless somebody tried."""
    if _among(scan.reached, place):
        return Outside.CONFIRMED
    if _among(scan.tried, place):
        return Outside.CLOSED
    return Outside.SHARED_ADDRESS if scan.shared else Outside.NOT_CHECKED


def unexplained(scan: Scan) -> frozenset[Place]:
    """Places reached from outside that no UPnP forwarding leads to, and that have no address of
    their own there."""
    mapped = {
        (mapping.host, mapping.port)
        for each in scan.services
        if isinstance(each.facts, Gateway)
        for mapping in each.facts.mappings
    }
    return frozenset(each for each in scan.reached if (each.host, each.port) not in mapped)


def _among(places: Iterable[Place], place: Place) -> bool:
    return any((each.host, each.port) == (place.host, place.port) for each in places)


def _forwarded(scan: Scan, inside: Inside) -> dict[int, Place]:
    return {
        mapping.outside_port: inside.get(
            (mapping.host, mapping.port), Place(mapping.host, mapping.port)
        )
        for each in scan.services
        if isinstance(each.facts, Gateway)
        for mapping in each.facts.mappings
        if mapping.protocol != "UDP"
    }


def _alone(inside: Inside) -> dict[int, Place]:
    """Ports that only one machine has open."""
    found: dict[int, list[Place]] = {}
    for (_, port), place in inside.items():
        found.setdefault(port, []).append(place)
    return {port: places[0] for port, places in found.items() if len(places) == 1}
