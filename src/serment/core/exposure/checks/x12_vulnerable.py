"""X12: a product says it has a version with published flaws (`products.toml`).

What a library says of itself inside another program, and what a distribution has packaged, may
have been mended without a new number: then it is only possible, and low.
"""

from __future__ import annotations

from collections.abc import Iterator

from serment.core.exposure.checking import UPKEEP, Check, Statement, View
from serment.core.exposure.findings import Confidence, Severity
from serment.core.exposure.products import is_packaged
from serment.core.exposure.seen import Service
from serment.errors import N_


def look(view: View) -> Iterator[Statement]:
    for service in view.scan.services:
        found = [flaw for flaw in view.flaws if flaw.concerns(service.product, service.version)]
        if found:
            cves = tuple(dict.fromkeys(cve for flaw in found for cve in flaw.cves))
            unsure = all(flaw.library for flaw in found) or is_packaged(service.version)
            yield _statement(service, cves, unsure, found[0].advice)


def _statement(service: Service, cves: tuple[str, ...], unsure: bool, advice: str) -> Statement:
    return Statement(
        service.place,
        Severity.LOW if unsure else Severity.HIGH,
        N_("It says it is {product} {version}: {cves}; mended in {fixed}")
        if advice
        else N_("It says it is {product} {version}: {cves}"),
        {
            "product": service.product,
            "version": service.version,
            "cves": ", ".join(cves[:4]) + (" ..." if len(cves) > 4 else ""),
            "fixed": advice,
        },
        confidence=Confidence.POSSIBLE if unsure else Confidence.LIKELY,
        cves=cves,
    )


CHECK = Check(
    id="X12",
    name="product-vulnerable",
    title=N_("A program with published flaws"),
    remedy=N_("Update this software: the installed version has published flaws."),
    articles=UPKEEP,
    commandment=3,
    look=look,
)
