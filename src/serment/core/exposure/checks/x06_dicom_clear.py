"""X06: DICOM without TLS: whoever listens on the network reads what crosses it.

A node that refuses strangers, or only echoes, is as practices have it everywhere: low. One that lets them in is
medium. Both rise when it is reached from outside.
"""

from __future__ import annotations

from serment.core.exposure.checking import ENCRYPTION, Check, Statement, Verdict, lets_in, over
from serment.core.exposure.findings import Severity
from serment.core.exposure.seen import Dicom, Service
from serment.errors import N_


def judge(service: Service, node: Dicom) -> Verdict:
    if service.tls is not None:
        return None
    return Statement(
        service.place,
        Severity.MEDIUM if lets_in(node) else Severity.LOW,
        N_("It speaks DICOM without TLS"),
    )


CHECK = Check(
    id="X06",
    name="dicom-clear",
    title=N_("Images and names cross the network unencrypted (DICOM)"),
    remedy=N_("Encrypt DICOM with TLS or isolate it on its own network."),
    articles=ENCRYPTION,
    commandment=2,
    look=over(Dicom, judge),
)
