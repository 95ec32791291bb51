"""What a check is: an id, its words, the duties it concerns, and a pure function over what was seen.

The checks themselves are one file each (`checks`), found by `registry`, which also makes findings
of what they state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from serment.core.exposure.findings import Confidence, Place, Readable, Severity
from serment.core.exposure.products import Flaw
from serment.core.exposure.seen import Answer, Dicom, Scan, Service

F = TypeVar("F")

HEALTH_FILES = ("dicom", "table", "database", "archive", "document")  # classes of listed files


@dataclass(frozen=True, slots=True)
class Statement:
    """What a check states of one place; `title` and `remedy` only where the usual ones do not fit."""

    place: Place
    severity: Severity  # seen from inside
    evidence: str
    values: dict[str, object] = field(default_factory=dict)
    confidence: Confidence = Confidence.CONFIRMED
    readable: Readable | None = None
    title: str = ""
    remedy: str = ""
    cves: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unasked:
    """What a check could not look at, and why. A place without host concerns the whole audit."""

    place: Place
    reason: str
    values: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class View:
    """What checks look at: the audit, and the table of known flaws."""

    scan: Scan
    flaws: tuple[Flaw, ...] = ()


Verdict = Statement | Unasked | None
Look = Callable[[View], Iterable[Statement | Unasked]]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that may be wrong. `articles` are references of law, `commandment` is 1 to 10."""

    id: str
    name: str
    title: str
    remedy: str
    articles: tuple[str, ...]
    commandment: int
    look: Look


# The articles that most checks concern.
CONFIDENTIALITY = ("GDPR Art. 32(1)(b)", "GDPR Art. 5(1)(f)", "CSP Art. L1110-4")
ENCRYPTION = ("GDPR Art. 32(1)(a)", "CSP Art. L1110-4")
INTEGRITY = ("GDPR Art. 32(1)(b)", "GDPR Art. 5(1)(f)")
UPKEEP = ("GDPR Art. 32(1)(d)", "GDPR Art. 32(1)(b)")


def each(judge: Callable[[Service], Verdict]) -> Look:
    """A check that looks at one service at a time."""

    def look(view: View) -> Iterator[Statement | Unasked]:
        for service in view.scan.services:
            found = judge(service)
            if found is not None:
                yield found

    return look


def over(kind: type[F], judge: Callable[[Service, F], Verdict]) -> Look:
    """A check that looks at the services of one kind of facts."""

    def one(service: Service) -> Verdict:
        return judge(service, service.facts) if isinstance(service.facts, kind) else None

    return each(one)


def lets_in(node: Dicom) -> bool:
    """Whether a DICOM node offers a stranger more than an echo, and refused none of it. Orthanc, for
    one, accepts every offer in the association and then refuses the requests."""
    if node.studies is Answer.YES or node.worklist is Answer.YES:
        return True
    return bool(node.accepted - {"echo"}) and node.studies is not Answer.REFUSED


def said(readable: Readable | None) -> str:
    """A count in evidence: "7", "50+", and "?" where nothing could be counted."""
    if readable is None:
        return "?"
    return f"{readable.count}+" if readable.capped else str(readable.count)


def listed(files: dict[str, int]) -> str:
    """Files by class, as technical text: "dicom: 3, table: 1"."""
    return ", ".join(f"{kind}: {files[kind]}" for kind in HEALTH_FILES if files.get(kind))
