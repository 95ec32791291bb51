"""X08: the web interface of an image server answers without an account."""

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
from serment.core.exposure.seen import Answer, Http, Service
from serment.core.exposure.webpages import called
from serment.errors import N_

SERVERS = frozenset(
    {
        "orthanc",
        "dcm4chee",
        "dicoogle",
        "pacsone",
        "conquest",
        "clearcanvas",
        "openemr",
        "mirth",
        "pacs",
    }
)


def judge(service: Service, web: Http) -> Verdict:
    opened = web.application in SERVERS and web.interface is Answer.YES
    others = sorted(web.also & SERVERS)
    if not opened and not others:
        return _unfound(service, web)
    server = web.application if opened else others[0]
    return Statement(
        service.place,
        Severity.CRITICAL,
        N_("The interface of {product} answered without an account; {count} readable"),
        {"product": called(server, service.product) or server, "count": said(web.readable)},
        readable=web.readable,
    )


def _unfound(service: Service, web: Http) -> Unasked | None:
    """Its page came without a question, and what it shows is not where such servers have it."""
    came = web.interface is Answer.NOT_ASKED and web.login is not Answer.YES and web.status < 300
    if web.application not in SERVERS or not came:
        return None
    return Unasked(
        service.place,
        N_("the page of {product} came without an account; what it shows was not found"),
        {"product": called(web.application, service.product) or web.application},
    )


CHECK = Check(
    id="X08",
    name="pacs-web-noauth",
    title=N_("The image server's web interface is open without a password"),
    remedy=N_("Turn on authentication and create one account per person."),
    articles=CONFIDENTIALITY,
    commandment=2,
    look=over(Http, judge),
)
