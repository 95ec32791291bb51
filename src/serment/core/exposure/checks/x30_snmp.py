"""X30: SNMP answers the community "public": who asks learns names, versions and networks.

Printers come that way: low beside a printer.
"""

from __future__ import annotations

from collections.abc import Iterator

from serment.core.exposure.checking import CONFIDENTIALITY, Check, Statement, View
from serment.core.exposure.findings import Severity
from serment.core.exposure.seen import Answer, Community, Http, Scan, Service
from serment.errors import N_


def look(view: View) -> Iterator[Statement]:
    printers = _printers(view.scan)
    for service in view.scan.services:
        if isinstance(service.facts, Community) and service.facts.public is Answer.YES:
            is_printer = service.place.host in printers
            yield Statement(
                service.place,
                Severity.LOW if is_printer else Severity.MEDIUM,
                N_("It described itself to the community {community}"),
                {"community": "public"},
            )


def _printers(scan: Scan) -> set[str]:
    return {each.place.host for each in scan.services if _prints(each)}


def _prints(service: Service) -> bool:
    if service.protocol == "printer" or service.product.endswith(" printer"):
        return True
    return isinstance(service.facts, Http) and service.facts.application == "printer"


CHECK = Check(
    id="X30",
    name="snmp-public",
    title=N_("A device describes itself to anybody (SNMP)"),
    remedy=N_("Turn SNMP off, or use version 3 with a password of your own."),
    articles=CONFIDENTIALITY,
    commandment=3,
    look=look,
)
