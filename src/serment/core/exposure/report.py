"""What an audit answers: findings, hosts, what was not checked, and the JSON contract for scripts.

The contract is documented in `docs/cli.md`; keys are added, never renamed or removed. Words are put
into the reader's language by the `say` that is handed in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from serment.core.exposure.findings import Finding, NotChecked, Readable, Severity
from serment.core.exposure.machines import place_order
from serment.core.exposure.outside import Looked
from serment.core.exposure.registry import CHECKS
from serment.core.exposure.scope import Proof
from serment.core.exposure.seen import BANNER_LIMIT, Scan, Service
from serment.core.exposure.text import clean
from serment.errors import N_

Say = Callable[[str, Mapping[str, object]], str]

NOT_FROM_OUTSIDE = N_("not checked from outside")
SHARED = N_("shared address, not checked")
OUTSIDE_BY: Mapping[str, str] = {
    "upnp": N_("the box's own list of forwardings (UPnP)"),
    "questions": N_("the answers about the box"),
    "peer": N_("a helper outside that dialled back"),
    "import": N_("an imported scan from outside"),
}


@dataclass(frozen=True, slots=True)
class Report:
    """One audit, judged. `addresses`: how many were in scope; `unseen`: how many findings of the history
    it neither saw again nor found closed."""

    at: datetime  # aware UTC
    seconds: float
    scan: Scan
    findings: tuple[Finding, ...]
    not_checked: tuple[NotChecked, ...]
    authorised_by: str = ""
    addresses: int = 0
    proved: tuple[str, ...] = ()
    proofs: tuple[Proof, ...] = ()
    looked: Looked | None = None  # by a helper outside
    unseen: int = 0

    @property
    def is_finished(self) -> bool:
        """Whether all that was to be asked was."""
        return self.scan.missed is None or not self.scan.missed.ended

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is known to be open, and nothing was left unasked at the end."""
        return not self.findings and not self.unseen and self.is_finished

    @property
    def counts(self) -> dict[Severity, int]:
        """How many findings of each severity, most serious first."""
        found = Counter(each.severity for each in self.findings)
        return {severity: found[severity] for severity in Severity if found[severity]}


def as_json(report: Report, say: Say) -> dict[str, Any]:
    """The answer of `serment scan network --json`."""
    return {
        "findings": [finding_json(each, say) for each in report.findings],
        "hosts": [_host(host, found) for host, found in hosts(report.scan).items()],
        "not_checked": [
            {"check": each.check, "host": each.host, "reason": say(each.reason, each.values)}
            for each in report.not_checked
        ],
        "seconds": round(report.seconds, 3),
        "at": report.at.isoformat(),
        "addresses": report.addresses,
        "authorised_by": report.authorised_by,
        "proved": list(report.proved),
        "proofs": [_proof(each) for each in report.proofs],
        "outside": {
            "by": list(report.scan.outside_by),
            "said": ", ".join(outside_said(report.scan, say)),
            "peer": _looked(report.looked),
        },
    }


def finding_json(finding: Finding, say: Say) -> dict[str, Any]:
    """One finding of the contract."""
    check = CHECKS[finding.id]
    return {
        "id": finding.id,
        "name": check.name,
        "host": finding.place.host,
        "port": finding.place.port,
        "proto": finding.place.proto,
        "severity": finding.severity.value,
        "confidence": finding.confidence.value,
        "outside": finding.outside.value,
        "readable": _readable(finding.readable),
        "title": say(finding.title, {}),
        "remedy": say(finding.remedy, {}),
        "evidence": say(finding.evidence, finding.values),
        "articles": list(check.articles),
        "commandment": check.commandment,
        "cves": list(finding.cves),
    }


def outside_said(scan: Scan, say: Say) -> list[str]:
    """How the outside was looked at, in words; never silence."""
    said = [say(OUTSIDE_BY[each], {}) for each in scan.outside_by if each in OUTSIDE_BY]
    if scan.shared:
        said.append(say(SHARED, {}))
    return said or [say(NOT_FROM_OUTSIDE, {})]


def hosts(scan: Scan) -> dict[str, list[Service]]:
    """Services by host, in the order of addresses and ports."""
    found: dict[str, list[Service]] = {}
    for service in sorted(scan.services, key=_place):
        found.setdefault(service.place.host, []).append(service)
    return found


def _proof(proof: Proof) -> dict[str, Any]:
    return {
        "address": proof.address,
        "port": proof.port,
        "by": proof.by,
        "at": proof.at.isoformat(),
    }


def _looked(looked: Looked | None) -> dict[str, Any] | None:
    if looked is None:
        return None
    ports = {each.port: each.is_open for each in looked.sights}
    return {
        "name": looked.by,
        "address": looked.address,
        "shared": looked.shared,
        "open": sorted(port for port, is_open in ports.items() if is_open),
        "closed": sorted(port for port, is_open in ports.items() if not is_open),
    }


def _host(host: str, services: list[Service]) -> dict[str, Any]:
    return {
        "host": host,
        "services": [
            {
                "port": each.place.port,
                "protocol": each.protocol,
                "product": clean(each.product, BANNER_LIMIT),
                "version": clean(each.version, BANNER_LIMIT),
                "tls": each.tls is not None,
            }
            for each in services
        ],
    }


def _readable(readable: Readable | None) -> dict[str, Any] | None:
    if readable is None:
        return None
    return {"count": readable.count, "capped": readable.capped, "unit": readable.unit.value}


def _place(service: Service) -> tuple[object, ...]:
    return place_order(service.place.host), service.place.port
