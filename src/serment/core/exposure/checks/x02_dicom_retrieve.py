"""X02: a DICOM node offers retrieval of images (C-GET, C-MOVE) to anybody.

Nothing is ever retrieved: what is stated is the accepted offer (PS3.8 presentation contexts). Some
nodes accept it and refuse the request itself, so a refused query makes it a mere possibility.
"""

from __future__ import annotations

from serment.core.exposure.checking import CONFIDENTIALITY, Check, Statement, Verdict, over
from serment.core.exposure.findings import Confidence, Severity
from serment.core.exposure.seen import Answer, Dicom, Service
from serment.errors import N_


def judge(service: Service, node: Dicom) -> Verdict:
    offered = sorted(node.accepted & {"get", "move"})
    if not offered:
        return None
    values: dict[str, object] = {"services": ", ".join("C-" + each.upper() for each in offered)}
    if node.studies is Answer.REFUSED:
        return Statement(
            service.place,
            Severity.LOW,
            N_("Retrieval is accepted in the association ({services}), but a query was refused"),
            values,
            confidence=Confidence.POSSIBLE,
            title=N_("Unknown devices might be able to retrieve images"),
        )
    return Statement(
        service.place,
        Severity.CRITICAL,
        N_("Offered to retrieve images as an unknown caller; accepted: {services}"),
        values,
        confidence=Confidence.LIKELY,
    )


CHECK = Check(
    id="X02",
    name="dicom-retrieve-open",
    title=N_("Images can be retrieved by unknown devices"),
    remedy=N_("Forbid image retrieval by unknown devices."),
    articles=CONFIDENTIALITY,
    commandment=2,
    look=over(Dicom, judge),
)
