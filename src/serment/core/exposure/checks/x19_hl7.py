"""X19: an HL7 listener (MLLP) acknowledges anybody. Asked with an empty, patient-free message."""

from __future__ import annotations

from serment.core.exposure.checking import INTEGRITY, Check, Statement, Verdict, over
from serment.core.exposure.findings import Severity
from serment.core.exposure.seen import Answer, Messages, Service
from serment.errors import N_


def judge(service: Service, listener: Messages) -> Verdict:
    if listener.acknowledged is not Answer.YES:
        return None
    return Statement(
        service.place,
        Severity.MEDIUM if service.tls else Severity.HIGH,
        N_("A message without any patient was acknowledged, inside TLS without a certificate")
        if service.tls
        else N_("A message without any patient was acknowledged, without TLS"),
    )


CHECK = Check(
    id="X19",
    name="hl7-open",
    title=N_("HL7 messages are accepted from anybody"),
    remedy=N_("Accept HL7 only from known senders, through an encrypted tunnel."),
    articles=INTEGRITY,
    commandment=6,
    look=over(Messages, judge),
)
