"""An audit as SARIF, for the tools that collect findings. Words come from the `say` handed in.

A place is no file: its address is written as a relative path ("192.168.1.20/11112"), since GitHub refuses
a whole upload for any other scheme than its checkout's, with line 1, and as a logical location by the name
people use. `partialFingerprints` make a finding the same one in another run.

Source: OASIS SARIF 2.1.0 (3.19 run, 3.27 result, 3.49 reportingDescriptor);
GitHub, SARIF support for code scanning (`security-severity`, `precision`, region).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from serment.core.exposure.checking import Check
from serment.core.exposure.findings import Confidence, Finding, NotChecked, Place, Severity
from serment.core.exposure.installing import STEPS
from serment.core.exposure.registry import CHECKS
from serment.core.exposure.report import Report, Say, outside_said
from serment.core.exposure.words import place_said

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


SECURITY: Final[
    Mapping[Severity, str]
] = {  # GitHub: over 9.0 critical, 7.0 high, 4.0 medium, 0.1 low
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "2.0",
    Severity.INFO: "0.0",
}


def as_sarif(report: Report, say: Say, version: str, language: str) -> dict[str, Any]:
    """One run. `version`: of this program; `language`: of the words, as "fr"."""
    used = sorted({each.id for each in report.findings})
    worst = {each.id: each for each in reversed(report.findings)}
    return {
        "$schema": SCHEMA,
        "version": VERSION,
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "Serment",
                        "version": version,
                        "rules": [_rule(CHECKS[each], worst[each], say) for each in used],
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


def _rule(check: Check, worst: Finding, say: Say) -> dict[str, Any]:
    """A check, as serious and as sure as the worst that it states here."""
    title, remedy = say(check.title, {}), say(check.remedy, {})
    return {
        "id": check.id,
        "name": "".join(part.capitalize() for part in check.name.split("-")),
        "shortDescription": {"text": title},
        "fullDescription": {"text": f"{title}. {remedy}"},
        "help": {"text": f"{remedy} {say(STEPS[check.id], {})}"},
        "defaultConfiguration": {"level": LEVELS[worst.severity]},
        "properties": {
            "tags": ["security", *check.articles],
            "commandment": check.commandment,
            "precision": PRECISION[worst.confidence],
            "security-severity": SECURITY[worst.severity],
        },
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
    path = place.host.replace("%", "%25").replace(":", "%3A")  # RFC 3986 4.2: no scheme begins it
    if place.port:
        path += f"/{place.port}"
    return {
        "physicalLocation": {"artifactLocation": {"uri": path}, "region": {"startLine": 1}},
        "logicalLocations": [
            {"name": place_said(place), "kind": "resource", "fullyQualifiedName": place.host}
        ],
    }


def _left(skipped: NotChecked, say: Say) -> str:
    what = " ".join(filter(None, (skipped.check, skipped.host)))
    return f"{what}: {say(skipped.reason, skipped.values)}".removeprefix(": ")


def _invocation(report: Report, say: Say) -> dict[str, Any]:
    """What was not checked is a notification (3.58), so that silence is never mistaken for good."""
    return {
        "executionSuccessful": True,
        "startTimeUtc": report.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "toolExecutionNotifications": [
            {
                "level": "note",
                "descriptor": {"id": each.check or "service"},
                "message": {"text": _left(each, say)},
            }
            for each in report.not_checked
        ],
    }
