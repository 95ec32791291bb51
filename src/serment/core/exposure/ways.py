"""Which machine a port of the practice's public address leads to, and which machines none can lead to.

A box tells over UPnP what it forwards, and counts for the address that it states; one behind another is
followed. What no list tells is known by its number only where all of the practice's own network was
audited: otherwise the machine may be one that nobody looked at. That a machine cannot be reached is known
only where every way in is: a whole list, and neither DMZ mode nor rules by hand. Who tried which port is
`outside`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from serment.core.exposure import seen
from serment.core.exposure.findings import Place
from serment.core.exposure.peer.rules import canonical, is_shared, is_tcp
from serment.core.exposure.seen import Gateway, Scan, Service

Spot: TypeAlias = tuple[str, int]  # host or address, port

# What a helper calls by one name that an audit inside knows more closely.
_SAME: Final[Mapping[str, frozenset[str]]] = {
    "http": frozenset({"http", "igd", "webdav", "elasticsearch"}),
    "ftp": frozenset({"ftp", "ftps"}),
}
_UNTOLD: Final = frozenset({"", "unknown", "silent"})
_BEHIND: Final = 4  # boxes one behind the other
_BOX: Final = "igd"  # what it tells is of other ports than its own


class Ways:
    """The ways into one practice, as its boxes and its audit tell them.

    `believed`: the protocols of sights are what answered there, not what the port's number suggests.
    """

    def __init__(self, scan: Scan, *, believed: bool = False) -> None:
        self._scan = scan
        self._believed = believed
        self._services = {_spot(each.place): each for each in scan.services if is_tcp(each)}
        self._boxes = [each.facts for each in scan.services if isinstance(each.facts, Gateway)]
        self._led: dict[Spot, set[Spot]] = {}
        for box, mapping in self._forwarded():
            if box.outside_address:
                way = canonical(box.outside_address), mapping.outside_port
                self._led.setdefault(way, set()).add((mapping.host, mapping.port))

    def leads(self, out: Place, protocol: str = "") -> Place:
        """The place inside that an open port leads to; itself when that is not known."""
        if sure := self._sure(_spot(out)):
            return sure
        likely = [
            each.place
            for each in self._at(self._inner(_spot(out)))
            if not self._believed or _agrees(each, protocol)
        ]
        alone = self._scan.swept and len(likely) == 1
        return likely[0] if alone else Place(out.host, out.port, protocol)

    def explains(self, out: Place) -> bool:
        """Whether it is no wonder that this port answered: a list says where it leads, or it is a machine's
        own."""
        return _spot(out) in self._led or _spot(out) in self._services

    def shut(self, tried: Collection[Place], own: Collection[str] = ()) -> Iterator[Place]:
        """The places behind a box that nothing leads to, when these ports outside are closed. `own`: the
        addresses known to be the practice's; at those whose box tells nothing the port was tried too."""
        closed: dict[str, set[int]] = {}
        for each in tried:
            closed.setdefault(each.host, set()).add(each.port)
        untold = [closed.get(each, set()) for each in self._untold(own)]
        for address in filter(self._is_known, closed):
            for place in self._shut(address, closed[address]):
                if all(place.port in ports for ports in untold):
                    yield place

    def _untold(self, own: Iterable[str]) -> set[str]:
        """The addresses before other machines that no box states; by IPv6 each machine has its own."""
        known = {canonical(each.outside_address) for each in self._boxes if each.outside_address}
        return {each for each in map(canonical, own) if ":" not in each} - known

    def _shut(self, address: str, closed: Collection[int]) -> Iterator[Place]:
        routes, elsewhere = self._routes(address), self._elsewhere(address)
        for spot, service in self._services.items():
            if is_public(spot[0]) or spot in elsewhere or service.protocol == _BOX:
                continue
            if routes.get(spot, {spot[1]}) <= {*closed}:
                yield service.place

    def _routes(self, address: str) -> dict[Spot, set[int]]:
        """The ports of an address by which each place is reached, as lists tell."""
        routes: dict[Spot, set[int]] = {}
        for out, port in self._led:
            if out == address:
                for led in self._followed((out, port)):
                    routes.setdefault(led, set()).add(port)
        return routes

    def _elsewhere(self, address: str) -> set[Spot]:
        """The places that another line, or a box that states no address, may lead to."""
        return {
            (mapping.host, mapping.port)
            for box, mapping in self._forwarded()
            if not box.outside_address
            or (is_public(box.outside_address) and canonical(box.outside_address) != address)
        }

    def _is_known(self, address: str) -> bool:
        """Whether every way in from this address is told: by its box, whose list is whole as those of all
        others are, or, where none speaks UPnP on the whole network, by a person."""
        scan = self._scan
        if scan.dmz or scan.manual_rules:
            return False
        if not self._boxes:
            return scan.swept and None not in (scan.dmz, scan.manual_rules)
        stated = {canonical(each.outside_address) for each in self._boxes if each.outside_address}
        return address in stated and all(each.is_whole for each in self._boxes)

    def _sure(self, way: Spot) -> Place | None:
        if own := self._services.get(way):
            return own.place
        led = self._followed(way)
        if len(led) != 1 or not (spot := led.pop())[0]:
            return None  # lists that contradict each other, or a machine that is only named
        known = self._services.get(spot)
        return known.place if known else Place(*spot)

    def _followed(self, way: Spot) -> set[Spot]:
        """Where the lists lead from a port, through boxes behind each other."""
        found = self._led.get(way, set())
        for _ in range(_BEHIND):
            found = {end for each in found for end in self._led.get(each, {each})}
        return {*found}

    def _inner(self, way: Spot) -> int:
        """The port inside, where a list tells that much and no more."""
        ports = {port for host, port in self._led.get(way, ()) if not host}
        return ports.pop() if len(ports) == 1 else way[1]

    def _at(self, port: int) -> list[Service]:
        """Who has that port behind a box; an address of the Internet is reached by itself alone."""
        return [
            each
            for (host, own), each in self._services.items()
            if own == port and not is_public(host)
        ]

    def _forwarded(self) -> Iterable[tuple[Gateway, seen.Mapping]]:
        return (
            (box, mapping)
            for box in self._boxes
            for mapping in box.mappings
            if mapping.protocol != "UDP"
        )


def is_public(host: str) -> bool:
    """Whether it has an address of its own on the Internet, whatever stands before others; False for
    what is no address ("box")."""
    try:
        return not is_shared(host)
    except ValueError:
        return False


def _spot(place: Place) -> Spot:
    return place.host, place.port


def _agrees(service: Service, protocol: str) -> bool:
    """Whether what answered outside may be this service."""
    if protocol in _UNTOLD or service.protocol in _UNTOLD:
        return True
    if protocol == "tls":
        return service.tls is not None
    return service.tls is None and service.protocol in _SAME.get(protocol, {protocol})
