"""What the machines of an audit are to the practice, told by their services, or by findings alone.

How they are drawn together is `picture`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from serment.core.exposure.findings import Finding
from serment.core.exposure.seen import Files, Gateway, Http, Scan, Service
from serment.core.exposure.text import clean
from serment.core.exposure.words import Kind

NAME_LIMIT: Final = 40  # characters of a product's name


@dataclass(frozen=True, slots=True)
class Machine:
    """One address, what it is, and what its telling service calls itself."""

    host: str
    kind: Kind = Kind.MACHINE
    product: str = ""


@dataclass(frozen=True, slots=True)
class Forwarding:
    """One port of the box that leads to a machine inside (TCP)."""

    outside_port: int
    host: str
    port: int


BY_PROTOCOL: Final[Mapping[str, Kind]] = {
    "dicom": Kind.DICOM,
    "mllp": Kind.RECORDS,
    **dict.fromkeys(
        ("mysql", "postgresql", "mssql", "mongodb", "redis", "memcached", "elasticsearch"),
        Kind.DATABASE,
    ),
    **dict.fromkeys(("ftp", "ftps", "nfs", "rsync", "afp", "webdav", "smb"), Kind.SHARE),
    **dict.fromkeys(("rdp", "vnc", "telnet"), Kind.REMOTE),
    "printer": Kind.PRINTER,
    "igd": Kind.BOX,
    "ssh": Kind.SERVER,
    "http": Kind.WEB,
}
BY_APPLICATION: Final[Mapping[str, Kind]] = {
    **dict.fromkeys(
        (
            "orthanc",
            "dicomweb",
            "dcm4chee",
            "dicoogle",
            "pacsone",
            "conquest",
            "clearcanvas",
            "pacs",
            "ohif",
            "weasis",
            "meddream",
            "stone",
            "oviyam",
            "viewer",
        ),
        Kind.ARCHIVE,
    ),
    **dict.fromkeys(("fhir", "openemr", "mirth"), Kind.RECORDS),
    "elasticsearch": Kind.DATABASE,
    **dict.fromkeys(("nas", "webdav", "listing"), Kind.SHARE),
    "printer": Kind.PRINTER,
    **dict.fromkeys(("box", "igd"), Kind.BOX),
}
BY_CHECK: Final[Mapping[str, Kind]] = {
    **dict.fromkeys(("X01", "X02", "X03", "X04", "X05", "X06", "X07"), Kind.DICOM),
    **dict.fromkeys(("X08", "X10", "X11"), Kind.ARCHIVE),
    **dict.fromkeys(("X13", "X14", "X15", "X16", "X17", "X29"), Kind.SHARE),
    **dict.fromkeys(("X18", "X27", "X28"), Kind.DATABASE),
    **dict.fromkeys(("X19", "X20"), Kind.RECORDS),
    "X21": Kind.REMOTE,
    "X31": Kind.SERVER,
}
_NO_ADDRESS: Final = 9  # sorts after IP version 6
_ORDER: Final = {kind: rank for rank, kind in enumerate(Kind)}


def machines_of(scan: Scan) -> tuple[Machine, ...]:
    """The machines of an audit; each is what its weightiest service tells. An address with a
    gateway is the box, whatever else listens there."""
    told: dict[str, Machine] = {}
    for service in scan.services:
        host, kind = service.place.host, kind_of(service)
        before = told.get(host)
        if before is None or _ORDER[kind] < _ORDER[before.kind]:
            told[host] = Machine(host, kind, clean(service.product, NAME_LIMIT))
    for service in scan.services:
        if isinstance(service.facts, Gateway):
            name = clean(service.product, NAME_LIMIT)
            told[service.place.host] = Machine(service.place.host, Kind.BOX, name)
    return tuple(sorted(told.values(), key=lambda each: place_order(each.host)))


def kind_of(service: Service) -> Kind:
    """What one service tells of its machine. SMB that shows a stranger nothing is what every
    workstation has."""
    if isinstance(service.facts, Files) and service.protocol == "smb":
        return Kind.SHARE if service.facts.shares or service.facts.listed else Kind.MACHINE
    if isinstance(service.facts, Http) and service.facts.application in BY_APPLICATION:
        return BY_APPLICATION[service.facts.application]
    return BY_PROTOCOL.get(service.protocol, Kind.MACHINE)


def forwardings_of(scan: Scan) -> tuple[Forwarding, ...]:
    """What the box says it forwards over TCP, and to which address."""
    return tuple(
        Forwarding(mapping.outside_port, mapping.host, mapping.port)
        for each in scan.services
        if isinstance(each.facts, Gateway)
        for mapping in each.facts.mappings
        if mapping.protocol != "UDP" and mapping.host
    )


def told_by_check(host: str, findings: Iterable[Finding]) -> Machine:
    """A machine of which only findings are known; without an address it is the box."""
    if not host:
        return Machine("", Kind.BOX)
    kinds = [BY_CHECK[each.id] for each in findings if each.id in BY_CHECK]
    return Machine(host, min(kinds, key=_ORDER.__getitem__, default=Kind.MACHINE))


def place_order(host: str) -> tuple[int, int, str]:
    """Addresses by their number, IPv4 first, then names."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return _NO_ADDRESS, 0, host
    return address.version, int(address), ""


def is_address(host: str) -> bool:
    """Whether a finding's host is a machine; else it is the box as such."""
    return place_order(host)[0] != _NO_ADDRESS
