"""X31: SSH accepts passwords for the usual accounts, so they can be guessed. Nobody tries here."""

from __future__ import annotations

from serment.core.exposure.checking import INTEGRITY, Check, Statement, Verdict, over
from serment.core.exposure.findings import Severity
from serment.core.exposure.seen import Remote, Service
from serment.errors import N_


def judge(service: Service, door: Remote) -> Verdict:
    if service.protocol != "ssh" or not door.password_only:
        return None
    return Statement(
        service.place,
        Severity.LOW,
        N_("It offers to sign in with a password; no password was tried"),
    )


CHECK = Check(
    id="X31",
    name="ssh-password",
    title=N_("SSH accepts passwords"),
    remedy=N_("Sign in with keys only (PasswordAuthentication no), and close SSH to the outside."),
    articles=INTEGRITY,
    commandment=3,
    look=over(Remote, judge),
)
