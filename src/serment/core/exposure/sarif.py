"""An audit as SARIF, for the tools that collect findings. Words come from the `say` handed in.

A place is no file: its address is written as a URI ("tcp://192.168.1.20:11112") and, for readers that
want one, as a logical location. `partialFingerprints` make a finding the same one in another run.

Source: OASIS SARIF 2.1.0 (3.19 run, 3.27 result, 3.49 reportingDescriptor).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from serment.core.exposure.checking import Check
from serment.core.exposure.findings import Confidence, Finding, Place, Severity
from serment.core.exposure.registry import CHECKS
from serment.core.exposure.report import Report, Say, outside_said

VERSION: Final = "2.1.0"
SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"

LEVELS: Final[Mapping[Severity, str]] = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
RANKS: Final[Mapping[Severity, float]] = {  # 3.27.25: 0 to 100, most important highest
    Severity.CRITICAL: 95.0,
    Severity.HIGH: 80.0,
    Severity.MEDIUM: 50.0,
    Severity.LOW: 20.0,
    Severity.INFO: 5.0,
}
PRECISION: Final[Mapping[Confidence, str]] = {
    Confidence.CONFIRMED: "very-high",
    Confidence.LIKELY: "high",
    Confidence.POSSIBLE: "low",
}


def as_sarif(report: Report, say: Say, version: str, language: str) -> dict[str, Any]:
    """One run. `version`: of this program; `language`: of the words, as "fr"."""
    used = sorted({each.id for each in report.findings})
    return {
        "$schema": SCHEMA,
        "version": VERSION,
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "Serment",
                        "version": version,
                        "rules": [_rule(CHECKS[each], say) for each in used],
                    }
                },
                "language": language,
                "invocations": [_invocation(report, say)],
                "results": [_result(each, used, say) for each in report.findings],
                "properties": {
                    "authorisedBy": report.authorised_by,
                    "outside": outside_said(report.scan, say),
                },
            }
        ],
    }


def _rule(check: Check, say: Say) -> dict[str, Any]:
    return {
        "id": check.id,
        "name": "".join(part.capitalize() for part in check.name.split("-")),
        "shortDescription": {"text": say(check.title, {})},
        "help": {"text": say(check.remedy, {})},
        "properties": {"tags": list(check.articles), "commandment": check.commandment},
    }


def _result(finding: Finding, used: list[str], say: Say) -> dict[str, Any]:
    title, remedy = say(finding.title, {}), say(finding.remedy, {})
    evidence = say(finding.evidence, finding.values)
    return {
        "ruleId": finding.id,
        "ruleIndex": used.index(finding.id),
        "level": LEVELS[finding.severity],
        "rank": RANKS[finding.severity],
        "message": {"text": f"{title}. {evidence}. {remedy}"},
        "locations": [_location(finding.place)],
        "partialFingerprints": {"place/v1": "/".join(map(str, finding.key))},
        "properties": {
            "severity": finding.severity.value,
            "precision": PRECISION[finding.confidence],
            "outside": finding.outside.value,
            "cves": list(finding.cves),
        },
    }


def _location(place: Place) -> dict[str, Any]:
    host = f"[{place.host}]" if ":" in place.host else place.host
    return {
        "physicalLocation": {
            "artifactLocation": {
                "uri": f"tcp://{host}:{place.port}" if place.port else f"tcp://{host}"
            }
        },
        "logicalLocations": [
            {"name": f"{host}:{place.port}", "kind": "resource", "fullyQualifiedName": host}
        ],
    }


def _invocation(report: Report, say: Say) -> dict[str, Any]:
    """What was not checked is a notification (3.58), so that silence is never mistaken for good."""
    return {
        "executionSuccessful": True,
        "startTimeUtc": report.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "toolExecutionNotifications": [
            {
                "level": "note",
                "descriptor": {"id": each.check},
                "message": {"text": f"{each.check} {each.host}: {say(each.reason, each.values)}"},
            }
            for each in report.not_checked
        ],
    }
