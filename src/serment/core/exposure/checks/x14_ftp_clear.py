"""X14: an FTP server that cannot encrypt (RFC 4217): passwords and files cross in clear."""

from __future__ import annotations

from serment.core.exposure.checking import ENCRYPTION, Check, Statement, Verdict, over
from serment.core.exposure.findings import Severity
from serment.core.exposure.seen import Answer, Files, Service
from serment.errors import N_


def judge(service: Service, files: Files) -> Verdict:
    in_clear = service.protocol == "ftp" and service.tls is None
    if not in_clear or files.encrypted is not Answer.REFUSED:
        return None
    return Statement(service.place, Severity.MEDIUM, N_("AUTH TLS was refused"))


CHECK = Check(
    id="X14",
    name="ftp-clear",
    title=N_("FTP sends passwords and files in clear"),
    remedy=N_("Replace FTP with SFTP; the password travels in clear."),
    articles=ENCRYPTION,
    commandment=6,
    look=over(Files, judge),
)
