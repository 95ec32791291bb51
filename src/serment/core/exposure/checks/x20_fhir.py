"""X20: a FHIR server counts its patients for anybody (`Patient?_summary=count`)."""

from __future__ import annotations

from serment.core.exposure.checking import CONFIDENTIALITY, Check, Statement, Verdict, over, said
from serment.core.exposure.findings import Severity
from serment.core.exposure.seen import Answer, Http, Service
from serment.errors import N_


def judge(service: Service, web: Http) -> Verdict:
    opened = web.application == "fhir" and web.interface is Answer.YES
    if not opened and "fhir" not in web.also:
        return None
    return Statement(
        service.place,
        Severity.CRITICAL,
        N_("Asked how many patients there are, without an account: {count}"),
        {"count": said(web.readable)},
        readable=web.readable,
    )


CHECK = Check(
    id="X20",
    name="fhir-open",
    title=N_("The FHIR interface answers anybody"),
    remedy=N_("Require authentication on the FHIR interface."),
    articles=CONFIDENTIALITY,
    commandment=2,
    look=over(Http, judge),
)
