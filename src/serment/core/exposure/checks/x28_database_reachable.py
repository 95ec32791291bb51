"""X28: a database asks for an account, or turns us away, but the whole network may knock."""

from __future__ import annotations

from serment.core.exposure.checking import CONFIDENTIALITY, Check, Statement, Verdict, each
from serment.core.exposure.findings import Severity
from serment.core.exposure.scope import is_loopback
from serment.core.exposure.seen import Answer, Database, Http, Service
from serment.errors import N_


def judge(service: Service) -> Verdict:
    """On the machine itself there is nothing to say."""
    if is_loopback(service.place.host):
        return None
    match service.facts:
        case (
            Database(open=Answer.REFUSED)
            | Http(application="elasticsearch", interface=Answer.REFUSED)
        ):
            return Statement(
                service.place,
                Severity.LOW,
                _evidence(service),
                {"product": service.product or service.protocol},
            )
    return None


def _evidence(service: Service) -> str:
    if isinstance(service.facts, Database) and service.facts.shut:
        return N_("{product} answered, and turned us away without asking for an account")
    if _is_clear(service):
        return N_("{product} answered, asked for an account, and does not offer to encrypt")
    return N_("{product} answered, and asked for an account")


def _is_clear(service: Service) -> bool:
    """Whether it said that it has no encryption; most do not say."""
    facts = service.facts
    return service.tls is None and isinstance(facts, Database) and facts.encrypted is Answer.REFUSED


CHECK = Check(
    id="X28",
    name="database-reachable",
    title=N_("A database can be reached from the network"),
    remedy=N_("Bind the database to the local machine, or let only the server that needs it in."),
    articles=CONFIDENTIALITY,
    commandment=3,
    look=each(judge),
)
