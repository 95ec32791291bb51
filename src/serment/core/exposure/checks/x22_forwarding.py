"""X22: the Internet box forwards ports to machines inside (UPnP IGD), joined to what listens there.

Stated at each machine it exposes, and once at the box. A forwarding to nothing we saw is medium; one
over UDP, as calls and games make by themselves, is low. A box that did not tell all it forwards is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from serment.core.exposure.checking import CONFIDENTIALITY, Check, Statement, Unasked, View
from serment.core.exposure.findings import RANKS, Confidence, Place, Severity
from serment.core.exposure.machines import BY_PROTOCOL
from serment.core.exposure.seen import Gateway, Http, Mapping, Service
from serment.core.exposure.words import Kind
from serment.errors import N_

SENSITIVE: Final = frozenset(
    {Kind.DICOM, Kind.RECORDS, Kind.DATABASE, Kind.SHARE, Kind.REMOTE, Kind.SERVER}
)
PLAIN: Final = frozenset({"", "listing"})  # web servers about which nothing is known


def look(view: View) -> Iterator[Statement | Unasked]:
    services = {(each.place.host, each.place.port): each for each in view.scan.services}
    boxes = False
    for box in view.scan.services:
        if isinstance(box.facts, Gateway):
            boxes = True
            if box.facts.is_listed:
                yield from _of_box(box, box.facts, services)
            if not box.facts.is_whole:
                yield Unasked(box.place, _missing(box.facts))
    if not boxes:
        yield Unasked(
            Place(""), N_("no Internet box answered to UPnP; its own rules are not known")
        )


def _missing(gateway: Gateway) -> str:
    if not gateway.is_listed:
        return N_("the box did not say which ports it forwards")
    if gateway.partial:
        return N_("the box did not tell all the ports that it forwards")
    return N_("the box names a machine that it forwards to otherwise than by its address")


def _of_box(
    box: Service, gateway: Gateway, services: dict[tuple[str, int], Service]
) -> Iterator[Statement]:
    worst = Severity.LOW
    for mapping in gateway.mappings:
        found = services.get((mapping.host, mapping.port)) if mapping.protocol != "UDP" else None
        severity = _severity(mapping, found)
        worst = min(worst, severity, key=RANKS.__getitem__)
        if found is not None:
            yield Statement(
                found.place,
                severity,
                N_("The box forwards its port {outside} to this {protocol} service"),
                {"outside": mapping.outside_port, "protocol": found.protocol},
                confidence=Confidence.LIKELY,
            )
    if gateway.mappings:
        yield Statement(
            box.place,
            worst,
            N_("The box forwards these ports: {ports}"),
            {"ports": ", ".join(_told(each) for each in gateway.mappings[:20])},
            title=N_("Your box opens ports to the whole Internet"),
        )
    else:
        yield Statement(
            box.place,
            Severity.LOW,
            N_("UPnP is on and lists no forwarding") if gateway.is_whole else N_("UPnP is on"),
            title=N_("Your box lets any program open ports"),
            remedy=N_("Disable UPnP on the box unless something needs it."),
        )


def _severity(mapping: Mapping, found: Service | None) -> Severity:
    if mapping.protocol == "UDP":
        return Severity.LOW
    if found is None:
        return Severity.MEDIUM
    is_health = isinstance(found.facts, Http) and (
        found.facts.application not in PLAIN or bool(found.facts.listed)
    )
    is_sensitive = BY_PROTOCOL.get(found.protocol) in SENSITIVE
    return Severity.CRITICAL if is_sensitive or is_health else Severity.HIGH


def _told(mapping: Mapping) -> str:
    return f"{mapping.outside_port}/{mapping.protocol} -> {mapping.host or '?'}:{mapping.port}"


CHECK = Check(
    id="X22",
    name="box-forwarding",
    title=N_("Your box opens this service to the whole Internet"),
    remedy=N_(
        "Your box opens this service to the whole Internet: delete the forwarding and disable UPnP."
    ),
    articles=CONFIDENTIALITY,
    commandment=3,
    look=look,
)
