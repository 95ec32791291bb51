"""X13: an FTP server lets anybody in and shows its files."""

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
from serment.core.exposure.findings import Severity
from serment.core.exposure.seen import Answer, Files, Service
from serment.errors import N_

_EVIDENCE = {  # whether health files were listed, and whether it says that it may be changed
    (True, False): N_("Signed in as anonymous and listed: {files}"),
    (False, False): N_("Signed in as anonymous; no health file was listed to depth 2"),
    (True, True): N_(
        "Signed in as anonymous, who may write there by what it says; listed: {files}"
    ),
    (False, True): N_(
        "Signed in as anonymous, who may write there by what it says; no health file was listed"
    ),
}
_NOT_LISTED = N_("Signed in as anonymous; what is there could not be listed")


def look(view: View) -> Iterator[Statement | Unasked]:
    """What could not be listed is told as such beside the finding: nobody knows what is there."""
    for service in view.scan.services:
        files = service.facts
        if service.protocol not in ("ftp", "ftps") or not isinstance(files, Files):
            continue
        if files.anonymous is Answer.YES:
            yield _stated(service, files)
            if files.shown is Answer.REFUSED:
                yield Unasked(
                    service.place, N_("anonymous is let in, but no folder could be listed")
                )


def _stated(service: Service, files: Files) -> Statement:
    found = listed(files.listed)
    usual = _EVIDENCE[bool(found), files.writable is Answer.YES]
    return Statement(
        service.place,
        Severity.CRITICAL if found else Severity.HIGH,
        _NOT_LISTED if files.shown is Answer.REFUSED else usual,
        {"files": found},
        readable=files.readable,
        title="" if found else N_("An FTP server without password"),
        remedy="" if found else N_("Close this FTP, or ask for an account of everybody."),
    )


CHECK = Check(
    id="X13",
    name="ftp-anonymous",
    title=N_("Health files are readable by FTP without a password"),
    remedy=N_("Close this FTP: health files are readable without a password."),
    articles=CONFIDENTIALITY,
    commandment=7,
    look=look,
)
