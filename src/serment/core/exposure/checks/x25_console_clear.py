"""X25: a console to manage a device asks for its password over plain HTTP.

A NAS holds files: medium. Printers and Internet boxes have such a page in every practice: low, as
has an image server whose account crosses in clear.
"""

from __future__ import annotations

from serment.core.exposure.checking import ENCRYPTION, Check, Statement, Verdict, over
from serment.core.exposure.findings import Severity
from serment.core.exposure.seen import Answer, Http, Service
from serment.core.exposure.webpages import called
from serment.errors import N_

CONSOLES = {"nas": Severity.MEDIUM, "printer": Severity.LOW, "box": Severity.LOW, "igd": None}


def judge(service: Service, web: Http) -> Verdict:
    if service.tls is not None:
        return None
    asks = web.login is Answer.YES and web.application not in ("", "listing")
    came = asks or web.status < 300  # what was refused, or failed, is no page
    severity = CONSOLES.get(web.application, Severity.LOW if asks else None)
    if severity is None or not came:
        return None
    return Statement(
        service.place,
        severity,
        N_("{product} asks for an account over HTTP, without encryption")
        if asks
        else N_("The page of {product} came over HTTP, without encryption"),
        {"product": called(web.application, service.product) or web.application},
    )


CHECK = Check(
    id="X25",
    name="admin-console-clear",
    title=N_("A management page without encryption"),
    remedy=N_("Move administration to HTTPS, limit it to one workstation and update."),
    articles=ENCRYPTION,
    commandment=3,
    look=over(Http, judge),
)
