"""X18: a database answers without a password."""

from __future__ import annotations

from serment.core.exposure.checking import (
    CONFIDENTIALITY,
    Check,
    Statement,
    Unasked,
    Verdict,
    each,
    said,
)
from serment.core.exposure.findings import Readable, Severity
from serment.core.exposure.seen import Answer, Database, Http, Service
from serment.errors import N_


def judge(service: Service) -> Verdict:
    match service.facts:
        case Database(open=Answer.NOTHING):
            return Unasked(
                service.place, N_("port {port}: it did not say whether it asks for an account")
            )
        case Database(open=Answer.YES) if service.protocol != "memcached":
            return _statement(service, service.facts.user, service.facts.readable)
        case Http(application="elasticsearch", interface=Answer.YES):
            return _statement(service, "", service.facts.readable)
        case Http(also=also) if "elasticsearch" in also:
            return _statement(service, "", None)
    return None


def _statement(service: Service, user: str, readable: Readable | None) -> Statement:
    return Statement(
        service.place,
        Severity.CRITICAL,
        N_("{product} answered as {user} without a password; {count} readable")
        if user
        else N_("{product} answered without an account; {count} readable"),
        {"product": service.product or service.protocol, "user": user, "count": said(readable)},
        readable=readable,
    )


CHECK = Check(
    id="X18",
    name="db-noauth",
    title=N_("A database opens without a password"),
    remedy=N_("Put a password on the database and bind it to the local machine."),
    articles=CONFIDENTIALITY,
    commandment=2,
    look=each(judge),
)
