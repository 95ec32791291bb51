"""X03: a DICOM node accepts images from anybody. Nothing is ever stored to find out.

Some nodes accept the offer and refuse the request itself, so a refused query makes it a mere
possibility. Orthanc refuses queries of strangers by hanging up and, as it comes, takes their images
(`DicomAlwaysAllowStore` is true): of a node that behaves so it is likely."""

from __future__ import annotations

from serment.core.exposure.checking import INTEGRITY, Check, Statement, Verdict, over
from serment.core.exposure.findings import Confidence, Severity
from serment.core.exposure.seen import Answer, Dicom, Service
from serment.errors import N_


def judge(service: Service, node: Dicom) -> Verdict:
    if "store" not in node.accepted:
        return None
    if node.studies is Answer.REFUSED and _is_orthanc(service, node):
        return Statement(
            service.place,
            Severity.MEDIUM,
            N_(
                "Offered to send images as an unknown caller; accepted (nothing was sent). It refuses "
                "queries as Orthanc does, which takes images from anybody as it comes"
            ),
            confidence=Confidence.LIKELY,
        )
    if node.studies is Answer.REFUSED:
        return Statement(
            service.place,
            Severity.LOW,
            N_(
                "Sending is accepted in the association, but a query was refused (nothing was sent)"
            ),
            confidence=Confidence.POSSIBLE,
            title=N_("The image archive might accept images from anybody"),
        )
    return Statement(
        service.place,
        Severity.HIGH,
        N_("Offered to send images as an unknown caller; accepted (nothing was sent)"),
        confidence=Confidence.LIKELY,
    )


def _is_orthanc(service: Service, node: Dicom) -> bool:
    """Whether it is one, or built on DCMTK and refuses as Orthanc does, which says no name of its own."""
    return service.product == "Orthanc" or (service.product == "DCMTK" and node.hangs_up)


CHECK = Check(
    id="X03",
    name="dicom-store-open",
    title=N_("The image archive accepts images from anybody"),
    remedy=N_("Accept images from your modalities only; otherwise records can be falsified."),
    articles=INTEGRITY,
    commandment=2,
    look=over(Dicom, judge),
)
