"""X15: a shared folder (SMB, NFS, rsync, AFP, WebDAV) opens without an account.

A session that only sees the names of shares is how Samba comes out of the box: low. An NFS export
to everybody is one even where mounting needs a privileged port: whoever brings a machine has those.
"""

from __future__ import annotations

from serment.core.exposure.checking import (
    CONFIDENTIALITY,
    Check,
    Statement,
    Verdict,
    each,
    listed,
)
from serment.core.exposure.findings import Confidence, Severity
from serment.core.exposure.seen import Answer, Files, Http, Service
from serment.errors import N_

PROTOCOLS = frozenset({"smb", "nfs", "rsync", "afp", "webdav"})

_EVIDENCE = {  # whether health files were listed, and whether it says that it may be changed
    (True, False): N_("Listed without an account ({shares} shared folders): {files}"),
    (False, False): N_("Listed without an account: {shares} shared folders"),
    (True, True): N_(
        "Listed without an account ({shares} shared folders; it says that they may be changed): {files}"
    ),
    (False, True): N_(
        "Listed without an account: {shares} shared folders; it says that they may be changed"
    ),
}


def judge(service: Service) -> Verdict:
    facts = service.facts
    if isinstance(facts, Http) and facts.shared:
        return _listed(service, facts.shared)
    if isinstance(facts, Files) and service.protocol in PROTOCOLS:
        return _listed(service, facts)
    return None


def _listed(service: Service, files: Files) -> Verdict:
    if files.anonymous is Answer.NOTHING and files.shares:
        return Statement(
            service.place,
            Severity.CRITICAL,
            N_("Exported to every machine ({shares} folders); not listed from here"),
            {"shares": files.shares},
            confidence=Confidence.LIKELY,
        )
    if files.anonymous is not Answer.YES:
        return None
    kinds = listed(files.listed)
    writable = files.writable is Answer.YES
    if not files.shares and not files.listed and files.readable is None:
        no_session = service.protocol == "rsync"  # its list of names is given to whoever calls
        return Statement(
            service.place,
            Severity.INFO if no_session else Severity.LOW,
            N_("The names of its modules are told to anybody; none of them could be opened")
            if no_session
            else N_("A guest session was accepted; no content could be listed"),
            title=N_("The names of shared folders are visible to anybody"),
        )
    return Statement(
        service.place,
        Severity.CRITICAL,
        _EVIDENCE[bool(kinds), writable],
        {"shares": files.shares, "files": kinds},
        readable=files.readable,
    )


CHECK = Check(
    id="X15",
    name="share-guest",
    title=N_("A shared folder opens without an account"),
    remedy=N_("Remove guest access and grant rights by name."),
    articles=CONFIDENTIALITY,
    commandment=2,
    look=each(judge),
)
