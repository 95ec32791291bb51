"""What the last audits saw, as far as the picture and the reports of later days need it: machines and
their services without what was asked and answered, and how the outside was looked at.

Findings over time are `history`; both are kept together. Holds no patient's value, not even a number
of patients: those stand in findings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from serment.core.exposure.findings import NotChecked, Place
from serment.core.exposure.seen import Facts, Files, Gateway, Http, Mapping, Scan, Service, Tls

SERVICES_KEPT: Final = 5000


@dataclass(frozen=True, slots=True)
class Sighting:
    """`services` by place; `dmz` and `manual_rules`: what somebody last said of the box; the rest is of
    the last audit that was no recheck."""

    services: tuple[Service, ...] = ()
    dmz: bool | None = None
    manual_rules: bool | None = None
    outside_by: tuple[str, ...] = ()
    not_checked: tuple[NotChecked, ...] = ()
    proved: tuple[str, ...] = ()
    seconds: float = 0.0
    shared: bool = False  # the public address, with strangers
    ended: bool = False  # before everything was asked


def sighting(
    scan: Scan, not_checked: Iterable[NotChecked], proved: Iterable[str], seconds: float
) -> Sighting:
    """What is kept of one audit."""
    return Sighting(
        tuple(map(_outline, scan.services)),
        scan.dmz,
        scan.manual_rules,
        scan.outside_by,
        (*not_checked,),
        (*proved,),
        seconds,
        scan.shared,
        scan.missed is not None and scan.missed.ended,
    )


def _outline(service: Service) -> Service:
    """That it is there and what it is; whether it speaks TLS, not how. Of what was answered only what
    tells machines apart, and what the box forwards, without the words programs left there."""
    return Service(
        service.place,
        service.protocol,
        service.product,
        service.version,
        tls=Tls() if service.tls is not None else None,
        facts=_outlined(service.facts),
        cut=service.cut,
    )


def _outlined(facts: Facts) -> Facts:
    match facts:
        case Http():
            return Http(application=facts.application)
        case Files():
            return Files(shares=facts.shares or len(facts.listed))
        case Gateway():
            return Gateway(tuple(_led(each) for each in facts.mappings))
    return None


def _led(mapping: Mapping) -> Mapping:
    return Mapping(mapping.outside_port, mapping.host, mapping.port, mapping.protocol)


def joined(
    before: Sighting, now: Sighting, covers: Callable[[Place], bool], *, recheck: bool = False
) -> Sighting:
    """The sighting after one more audit, which looked at the places it `covers`.

    What somebody said of the box stays until it is said again. A recheck of one check changes
    nothing but the services it met.
    """
    elsewhere = (each for each in before.services if not covers(each.place))
    found = {each.place: each for each in (*elsewhere, *now.services)}
    base = before if recheck else now
    said_by = [each for each in base.outside_by if each != "questions"]
    dmz = before.dmz if now.dmz is None else now.dmz
    rules = before.manual_rules if now.manual_rules is None else now.manual_rules
    if (dmz, rules) != (None, None):
        said_by.append("questions")
    return replace(
        base,
        services=tuple(found.values())[-SERVICES_KEPT:],
        dmz=dmz,
        manual_rules=rules,
        outside_by=tuple(said_by),
    )
