"""X27: a Memcached cache answers anybody: it has no account unless somebody added one."""

from __future__ import annotations

from serment.core.exposure.checking import CONFIDENTIALITY, Check, Statement, Verdict, over
from serment.core.exposure.findings import Severity
from serment.core.exposure.seen import Answer, Database, Service
from serment.errors import N_


def judge(service: Service, cache: Database) -> Verdict:
    if service.protocol != "memcached" or cache.open is not Answer.YES:
        return None
    return Statement(
        service.place,
        Severity.HIGH,
        N_("Memcached told its version without an account"),
        readable=cache.readable,
    )


CHECK = Check(
    id="X27",
    name="memcached-open",
    title=N_("A cache (Memcached) opens to anybody"),
    remedy=N_("Bind Memcached to the local machine and close its port."),
    articles=CONFIDENTIALITY,
    commandment=2,
    look=over(Database, judge),
)
