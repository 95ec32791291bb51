"""X17: a web server lists files that look like extracts of health data."""

from __future__ import annotations

from serment.core.exposure.checking import (
    CONFIDENTIALITY,
    Check,
    Statement,
    Verdict,
    listed,
    over,
)
from serment.core.exposure.filenames import OTHER
from serment.core.exposure.findings import Confidence, Severity
from serment.core.exposure.seen import Http, Service
from serment.errors import N_


def judge(service: Service, web: Http) -> Verdict:
    """Documents alone are often notices and forms; the other kinds are extracts."""
    found = listed(web.listed)
    if not found:
        return _others(service, web.listed.get(OTHER, 0))
    only_documents = set(web.listed) <= {"document"}
    return Statement(
        service.place,
        Severity.HIGH if only_documents else Severity.CRITICAL,
        N_("A page lists files without an account: {files}"),
        {"files": found},
        confidence=Confidence.POSSIBLE if only_documents else Confidence.LIKELY,
        readable=web.readable,
    )


def _others(service: Service, count: int) -> Verdict:
    if not count:
        return None
    return Statement(
        service.place,
        Severity.LOW,
        N_("A page lists files without an account; their names tell nothing of health: {count}"),
        {"count": count},
        confidence=Confidence.POSSIBLE,
        title=N_("A web page lists files"),
        remedy=N_("See that none of these files is about a patient, and turn the listing off."),
    )


CHECK = Check(
    id="X17",
    name="web-listing-health",
    title=N_("A web page lists health files"),
    remedy=N_("Remove these extracts and treat them as disclosed."),
    articles=CONFIDENTIALITY,
    commandment=7,
    look=over(Http, judge),
)
