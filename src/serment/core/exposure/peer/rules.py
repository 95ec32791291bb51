"""What a helper outside may be asked: which addresses, which ports, how many, how often.

The helper applies these rules itself, whatever the practice sends. How both agree on keys is
`pairing`, what they say to each other `visit`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from serment.core.exposure.seen import Gateway, Scan, Service

MOST_PORTS: Final = 60  # of one look
DATAGRAMS: Final = frozenset({"snmp"})  # what answers over UDP
PAUSE: Final = timedelta(hours=1)  # between two looks, and between two proofs, of one pairing

# Addresses that many customers or nobody has: what answers there is not this practice alone.
_SHARED: Final = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",  # RFC 6890, as those below without a name of their own
        "10.0.0.0/8",  # RFC 1918
        "100.64.0.0/10",  # carrier-grade NAT, RFC 6598
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",  # holds 192.0.0.0/29, DS-Lite, RFC 7335
        "192.168.0.0/16",
        "198.18.0.0/15",
        "224.0.0.0/3",  # multicast and reserved
        "::/127",
        "64:ff9b::/96",  # NAT64, RFC 6052
        "64:ff9b:1::/48",
        "2001::/32",  # Teredo
        "2002::/16",  # 6to4
        "fc00::/7",
        "fe80::/10",
        "ff00::/8",
    )
)

_FIRST: Final = frozenset(
    {"dicom", "mllp", "smb", "ftp", "nfs", "rdp", "vnc", "postgresql", "mysql", "mssql"}
)

# Where the protocols of a practice usually listen, tried when the audit inside leaves room.
USUAL: Final = (
    *(104, 11112, 4242, 2762, 8042, 443, 80, 8080, 8443, 21, 445, 3389, 22, 23, 5900, 2575),
    *(3306, 5432, 1433, 27017, 6379, 9200, 5000, 5001, 8000, 139, 2049, 873, 8081, 8888),
)


def canonical(address: str) -> str:
    """An address as it is compared: without zone, IPv4 mapped into IPv6 as IPv4.

    Raises:
        ValueError: it is no address.
    """
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(found)


def is_shared(address: str, box: Iterable[str] = ()) -> bool:
    """Whether a source address may be several customers', or no one's on the Internet.

    Args:
        address: as the helper saw it.
        box: the outside addresses that the practice's own boxes state (UPnP); another one of the
            same family means that a carrier stands between.
    """
    found = ip_address(canonical(address))
    if any(found.version == each.version and found in each for each in _SHARED):
        return True
    stated = [ip_address(each) for each in box if each]
    same = [each for each in stated if each.version == found.version]
    return bool(same) and found not in same


def boxes(scan: Scan) -> tuple[str, ...]:
    """The outside addresses that boxes state."""
    facts = (each.facts for each in scan.services)
    return tuple(each.outside_address for each in facts if isinstance(each, Gateway))


def ports_to_try(scan: Scan, before: Iterable[int] = ()) -> tuple[int, ...]:
    """The ports worth a look from outside, most telling first: what the box forwards, `before` (by which
    something was reached earlier), what is open inside (medical protocols first), then the usual ones."""
    mapped = (
        mapping.outside_port
        for each in scan.services
        if isinstance(each.facts, Gateway)
        for mapping in each.facts.mappings
        if mapping.protocol == "TCP" and mapping.outside_port
    )
    inside = sorted(scan.services, key=lambda each: (each.protocol not in _FIRST, each.place))
    heard = (each.place.port for each in inside if is_tcp(each))
    return tuple(dict.fromkeys((*mapped, *before, *heard, *USUAL)))[:MOST_PORTS]


def is_tcp(service: Service) -> bool:
    """Whether it is one that a try over TCP says something of."""
    return service.place.port > 0 and service.protocol not in DATAGRAMS
