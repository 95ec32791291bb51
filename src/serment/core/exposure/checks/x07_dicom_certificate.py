"""X07: DICOM over TLS asks no certificate of the caller (PS3.15 B.1): encrypted, for anybody."""

from __future__ import annotations

from serment.core.exposure.checking import CONFIDENTIALITY, Check, Statement, Verdict, over
from serment.core.exposure.findings import Severity
from serment.core.exposure.seen import Answer, Dicom, Service
from serment.errors import N_


def judge(service: Service, node: Dicom) -> Verdict:
    if service.tls is None or service.tls.client_certificate is not Answer.REFUSED:
        return None
    return Statement(
        service.place,
        Severity.HIGH,
        N_(
            "A TLS session without a certificate of the caller was accepted, and DICOM spoken in it"
        ),
    )


CHECK = Check(
    id="X07",
    name="dicom-tls-anonymous",
    title=N_("Encrypted DICOM, but open to any device"),
    remedy=N_("Require a certificate from every device (mutual TLS)."),
    articles=CONFIDENTIALITY,
    commandment=3,
    look=over(Dicom, judge),
)
