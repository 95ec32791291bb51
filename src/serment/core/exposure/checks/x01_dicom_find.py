"""X01: a DICOM node answers a query for studies asked by anybody (PS3.4 C.4.1)."""

from __future__ import annotations

from serment.core.exposure.checking import (
    CONFIDENTIALITY,
    Check,
    Statement,
    Unasked,
    Verdict,
    over,
    said,
)
from serment.core.exposure.findings import Severity
from serment.core.exposure.seen import Answer, Dicom, Service
from serment.errors import N_


def judge(service: Service, node: Dicom) -> Verdict:
    """An empty archive that answers anybody will not stay empty: high, not critical."""
    if node.studies is Answer.NOTHING:
        reason = N_("port {port}: the query was accepted, but nothing came back in time")
        return Unasked(service.place, reason, {"port": service.place.port})
    if node.studies is not Answer.YES:
        return None
    is_empty = node.patients is not None and node.patients.count == 0
    return Statement(
        service.place,
        Severity.HIGH if is_empty else Severity.CRITICAL,
        N_("Asked for studies (C-FIND) as an unknown caller: {count} answered"),
        {"count": said(node.patients)},
        readable=node.patients,
    )


CHECK = Check(
    id="X01",
    name="dicom-find-open",
    title=N_("The image archive lists its patients to anybody"),
    remedy=N_(
        "Your image archive lists patients to anybody: restrict it to known devices (AE title and "
        "IP address) and enable TLS."
    ),
    articles=CONFIDENTIALITY,
    commandment=2,
    look=over(Dicom, judge),
)
