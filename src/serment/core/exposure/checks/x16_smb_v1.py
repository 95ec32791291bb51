"""X16: SMB version 1 is spoken, or nothing signs what is exchanged."""

from __future__ import annotations

from serment.core.exposure.checking import INTEGRITY, Check, Statement, Verdict, over
from serment.core.exposure.findings import Severity
from serment.core.exposure.seen import Answer, Files, Service
from serment.errors import N_


def judge(service: Service, files: Files) -> Verdict:
    if service.protocol != "smb":
        return None
    if "NT1" in files.dialects:
        return Statement(service.place, Severity.HIGH, N_("It accepted the dialect NT LM 0.12"))
    if files.signing is Answer.REFUSED:
        return Statement(
            service.place,
            Severity.LOW,
            N_("It does not require signed messages, as most file servers out of the box"),
            title=N_("File sharing does not require signatures"),
            remedy=N_("Require signing on the file server (server signing = mandatory)."),
        )
    return None


CHECK = Check(
    id="X16",
    name="smb-v1",
    title=N_("File sharing by SMBv1"),
    remedy=N_("Disable SMBv1, a ransomware entry door."),
    articles=INTEGRITY,
    commandment=3,
    look=over(Files, judge),
)
