"""X12: a product says it has a version with published flaws, or one that its maker no longer mends
(`products.toml`).

What a library says of itself inside another program, and what a distribution has packaged, may
have been mended without a new number: then it is only possible, and low. A version that ended is medium: who
paid for it may have it mended still, which its number does not tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from serment.core.exposure.checking import UPKEEP, Check, Statement, View
from serment.core.exposure.findings import Confidence, Severity
from serment.core.exposure.products import is_packaged
from serment.core.exposure.seen import Service
from serment.errors import N_


def look(view: View) -> Iterator[Statement]:
    for service in view.scan.services:
        known = [flaw for flaw in view.flaws if flaw.concerns(service.product, service.version)]
        found = [flaw for flaw in known if flaw.cves]
        if found:
            cves = tuple(dict.fromkeys(cve for flaw in found for cve in flaw.cves))
            unsure = all(flaw.library for flaw in found) or is_packaged(service.version)
            yield _statement(service, cves, unsure, found[0].advice)
        for flaw in known:
            if (
                not found
                and flaw.ended
                and (view.scan.at is None or flaw.ended < view.scan.at.date())
            ):
                yield _ended(service, flaw.name, flaw.ended)


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


def _ended(service: Service, name: str, day: date) -> Statement:
    return Statement(
        service.place,
        Severity.MEDIUM,
        N_("It says it is version {version}, {name}: its maker mends no flaw of it since {day}"),
        {"version": service.version, "name": name, "day": day},
        confidence=Confidence.LIKELY,
        title=N_("A program that its maker no longer mends"),
        remedy=N_(
            "Have it replaced by a version that is still mended; ask who supplied the software."
        ),
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
