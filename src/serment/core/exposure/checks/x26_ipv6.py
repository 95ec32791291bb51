"""X26: a health service listens on an IPv6 address that the whole Internet can route to.

No address translation stands before it, only the box's firewall, if it has one; whether it is reached
stays "not checked" until somebody outside tries.
"""

from __future__ import annotations

from ipaddress import IPv6Network, ip_address
from typing import Final

from serment.core.exposure.checking import CONFIDENTIALITY, Check, Statement, Verdict, each
from serment.core.exposure.findings import Confidence, Severity
from serment.core.exposure.machines import BY_APPLICATION, BY_PROTOCOL
from serment.core.exposure.seen import Http, Service
from serment.core.exposure.words import Kind
from serment.errors import N_

ROUTABLE: Final = IPv6Network("2000::/3")  # global unicast, RFC 4291 2.4 and IANA
HEALTH: Final = frozenset({Kind.DICOM, Kind.RECORDS, Kind.ARCHIVE, Kind.DATABASE, Kind.SHARE})
CACHES: Final = frozenset({"memcached"})  # databases to a picture; they keep nothing for long


def judge(service: Service) -> Verdict:
    web = service.facts.application if isinstance(service.facts, Http) else ""
    kinds = {BY_PROTOCOL.get(service.protocol), BY_APPLICATION.get(web)}
    if service.protocol in CACHES or HEALTH.isdisjoint(kinds):
        return None
    if not is_routable(service.place.host):
        return None
    return Statement(
        service.place,
        Severity.HIGH,
        N_("{protocol} listens on a global IPv6 address"),
        {"protocol": web or service.protocol},
        confidence=Confidence.LIKELY,
    )


def is_routable(host: str) -> bool:
    """Whether an address is a global IPv6 one; False for what is no address."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return address.version == 6 and address in ROUTABLE


CHECK = Check(
    id="X26",
    name="ipv6-routable",
    title=N_("A health service has an address of the Internet (IPv6)"),
    remedy=N_(
        "Block incoming IPv6 on the box, or bind this service to a local address; then have it tried "
        "from outside."
    ),
    articles=CONFIDENTIALITY,
    commandment=3,
    look=each(judge),
)
