"""X29: a file service that does not encrypt what crosses (NFS, rsync, AFP, WebDAV over HTTP)."""

from __future__ import annotations

from serment.core.exposure.checking import ENCRYPTION, Check, Statement, Verdict, each
from serment.core.exposure.findings import Severity
from serment.core.exposure.seen import Answer, Facts, Http, Service
from serment.errors import N_

IN_CLEAR = frozenset({"nfs", "rsync", "afp", "webdav"})


def judge(service: Service) -> Verdict:
    protocol = "webdav" if _shares(service.facts) else service.protocol
    if protocol not in IN_CLEAR or service.facts is None or service.tls is not None:
        return None
    return Statement(
        service.place,
        Severity.LOW,
        N_("{protocol} was spoken without encryption"),
        {"protocol": protocol.upper()},
    )


def _shares(facts: Facts) -> bool:
    """Whether a web server has, beside something else, files for anybody."""
    shared = facts.shared if isinstance(facts, Http) else None
    return shared is not None and shared.anonymous is Answer.YES


CHECK = Check(
    id="X29",
    name="files-clear",
    title=N_("Files cross the network unencrypted"),
    remedy=N_("Use SMB 3 with encryption, SFTP or HTTPS for these files."),
    articles=ENCRYPTION,
    commandment=6,
    look=each(judge),
)
