"""X09: the factory account of a product works. Tried only when asked for, once per service."""

from __future__ import annotations

from collections.abc import Iterator

from serment.core.exposure.checking import (
    CONFIDENTIALITY,
    Check,
    Statement,
    Unasked,
    View,
    listed,
)
from serment.core.exposure.findings import Place, Severity
from serment.core.exposure.seen import Answer, Database, Files, Http, Service
from serment.errors import N_


def look(view: View) -> Iterator[Statement | Unasked]:
    tried = False
    for service in view.scan.services:
        if not isinstance(service.facts, Http | Files | Database):
            continue
        answer = service.facts.default_account
        tried = tried or answer is not Answer.NOT_ASKED
        if answer is Answer.YES:
            yield _statement(service, service.facts)
    if not tried:
        yield Unasked(Place(""), N_("factory accounts are only tried with --try-default-accounts"))


def _statement(service: Service, facts: Http | Files | Database) -> Statement:
    """With the files it was shown, unless anybody is: X13 states those."""
    match facts:
        case Files(listed=shown, readable=readable) if facts.anonymous is not Answer.YES:
            files = listed(shown)
        case _:
            files, readable = "", None
    return Statement(
        service.place,
        Severity.CRITICAL,
        N_("A documented account of {product} was accepted and listed: {files}; each is tried once")
        if files
        else N_("A documented account of {product} was accepted; each is tried once"),
        {"product": service.product or service.protocol, "files": files},
        readable=readable,
    )


CHECK = Check(
    id="X09",
    name="default-account",
    title=N_("The factory password still opens it"),
    remedy=N_("Change the factory password at once (12 characters or more)."),
    articles=CONFIDENTIALITY,
    commandment=3,
    look=look,
)
