"""X10: DICOMweb answers a search without an account (PS3.18 QIDO-RS)."""

from __future__ import annotations

from serment.core.exposure.checking import CONFIDENTIALITY, Check, Statement, Verdict, over, said
from serment.core.exposure.findings import Severity
from serment.core.exposure.seen import Answer, Http, Service
from serment.errors import N_


def judge(service: Service, web: Http) -> Verdict:
    opened = web.application == "dicomweb" and web.interface is Answer.YES
    if not opened and "dicomweb" not in web.also:
        return None
    return Statement(
        service.place,
        Severity.CRITICAL,
        N_("A search for studies (QIDO-RS) without an account was answered; {count} readable"),
        {"count": said(web.readable)},
        readable=web.readable,
    )


CHECK = Check(
    id="X10",
    name="dicomweb-open",
    title=N_("DICOMweb gives images to anybody"),
    remedy=N_("Close unauthenticated DICOMweb access."),
    articles=CONFIDENTIALITY,
    commandment=2,
    look=over(Http, judge),
)
