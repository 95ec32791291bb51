"""X11: a viewer of images opens without an account, or asks for its password in clear."""

from __future__ import annotations

from serment.core.exposure.checking import CONFIDENTIALITY, Check, Statement, Verdict, over
from serment.core.exposure.findings import Confidence, Severity
from serment.core.exposure.seen import Answer, Http, Service
from serment.core.exposure.webpages import called
from serment.errors import N_

VIEWERS = frozenset({"ohif", "weasis", "meddream", "stone", "oviyam", "dwv", "viewer"})

_OPENED = N_("The viewer {product} opened without an account")
_ASKS = N_("The viewer {product} asks for an account over an unencrypted connection")


def judge(service: Service, web: Http) -> Verdict:
    viewers = sorted({web.application, *web.also} & VIEWERS)
    if not viewers:
        return None
    product = called(viewers[0])
    if web.login is not Answer.YES:
        return Statement(
            service.place,
            Severity.HIGH,
            _OPENED if product else N_("An image viewer opened without an account"),
            {"product": product},
            confidence=Confidence.LIKELY,
        )
    if service.tls is not None:
        return None
    return Statement(
        service.place,
        Severity.LOW,
        _ASKS
        if product
        else N_("An image viewer asks for an account over an unencrypted connection"),
        {"product": product},
    )


CHECK = Check(
    id="X11",
    name="viewer-exposed",
    title=N_("An image viewer is within everybody's reach"),
    remedy=N_("Put the viewer behind an encrypted, authenticated entry."),
    articles=CONFIDENTIALITY,
    commandment=2,
    look=over(Http, judge),
)
