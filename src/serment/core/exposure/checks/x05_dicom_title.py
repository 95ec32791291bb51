"""X05: a DICOM node that checks the called AE title has one that everybody would try first."""

from __future__ import annotations

from serment.core.exposure.checking import CONFIDENTIALITY, Check, Statement, Verdict, over
from serment.core.exposure.findings import Severity
from serment.core.exposure.seen import Dicom, Service
from serment.errors import N_


def judge(service: Service, node: Dicom) -> Verdict:
    if node.any_title or not node.title:
        return None
    return Statement(
        service.place,
        Severity.HIGH,
        N_("The usual AE title {title} was accepted, after {count} tried"),
        {"title": node.title, "count": max(node.titles_tried, 1)},
    )


CHECK = Check(
    id="X05",
    name="dicom-aet-guessable",
    title=N_("The archive's AE title is easily guessed"),
    remedy=N_(
        "A guessable AE title is no password: also filter addresses and require a certificate."
    ),
    articles=CONFIDENTIALITY,
    commandment=3,
    look=over(Dicom, judge),
)
