"""X04: a modality worklist answers anybody (PS3.4 K)."""

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
    """A worklist that is empty at this hour answers tomorrow."""
    if node.worklist is Answer.NOTHING:
        reason = N_("port {port}: the query was accepted, but nothing came back in time")
        return Unasked(service.place, reason, {"port": service.place.port})
    if node.worklist is not Answer.YES:
        return None
    return Statement(
        service.place,
        Severity.CRITICAL,
        N_("Asked for the worklist (C-FIND) as an unknown caller: {count} appointments answered"),
        {"count": said(node.appointments)},
        readable=node.appointments,
    )


CHECK = Check(
    id="X04",
    name="dicom-worklist-open",
    title=N_("The day's worklist is readable by anybody"),
    remedy=N_("The day's worklist is readable: reserve it to your modalities."),
    articles=CONFIDENTIALITY,
    commandment=2,
    look=over(Dicom, judge),
)
