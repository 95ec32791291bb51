"""FTP and FTPS: whether anybody may sign in, what he could read (counted), and whether it encrypts.

Anonymous signing in is tried once in clear and, where the server wants TLS first, once inside it.
How FTP is spoken is `shares.ftp`'s business.
"""

from __future__ import annotations

import re
from typing import Final

from serment.adapters.network.line import Cut, Ended
from serment.adapters.network.probing import Call, Heard, Probe
from serment.adapters.network.shares.ftp import Reply, Session
from serment.adapters.network.shares.noting import note, note_files
from serment.adapters.network.shares.walk import Refused, Tally, walk
from serment.core.exposure.seen import Answer, Files

ANYBODY: Final = "anonymous"
WORD: Final = "serment-audit@"  # RFC 1635: an address, so that the other side knows who asked
_OF_USER: Final = frozenset({230, 331, 332, 421, 521, 522, 530, 532, 533, 534, 536, 550})
_WANTS_TLS: Final = re.compile(r"\b(?:tls|ssl|encrypt|secur|chiffr)", re.IGNORECASE)
_PRODUCTS: Final = (
    (re.compile(r"\bvsftpd ([\d.]+)", re.I), "vsftpd"),
    (re.compile(r"\bpyftpdlib ([\d.]+)", re.I), "pyftpdlib"),
    (re.compile(r"\bproftpd(?: ([\d.]+\w*))?", re.I), "ProFTPD"),
    (re.compile(r"\bpure-ftpd", re.I), "Pure-FTPd"),
    (re.compile(r"\bfilezilla server(?: version)?(?: ([\d.]+))?", re.I), "FileZilla Server"),
    (re.compile(r"\bmicrosoft ftp service", re.I), "Microsoft FTP"),
    (re.compile(r"\bserv-u ftp server(?: v([\d.]+))?", re.I), "Serv-U"),
    (re.compile(r"\bwu-([\d.]+)", re.I), "WU-FTPD"),
)


def talk(call: Call) -> Heard | None:
    """Sign in as anybody, list, then ask whether it could be done in TLS."""
    session = Session(call)
    if session.greeting.code not in (120, 220):
        return None
    said = session.ask("USER", ANYBODY)
    if said.code not in _OF_USER:
        return None  # mail servers greet with 220 as well
    call.understood()
    inside = Answer.YES if call.tls else Answer.NOT_ASKED
    call.heard = _introduced(session.greeting, Files(encrypted=inside))
    if call.tls and said.code in (230, 331):
        _visit(call, session, said, private=True)
    elif call.tls:
        note(call, anonymous=Answer.REFUSED)
    else:
        last = _visit(call, session, said)
        _encrypted(call, said, last)
    return call.heard


def _visit(call: Call, session: Session, said: Reply, private: bool = False) -> Reply:
    """Finish signing in; count what is listed. The last answer to signing in."""
    if said.code == 331:
        said = session.password(WORD)
    if said.code != 230:
        note(call, anonymous=Answer.NOTHING if said.code == 421 else Answer.REFUSED)
        return said
    note(call, anonymous=Answer.YES)
    try:
        if private:
            session.protect()
        _count(call, session)
    except (Ended, Refused) as end:
        call.was_cut = call.was_cut or isinstance(end, Cut)
    return said


def _count(call: Call, session: Session) -> None:
    tally = Tally()
    for _ in walk(session.base(), session.show, tally):
        note_files(call, tally, writable=Answer.YES if session.writable else Answer.NOT_ASKED)


def _encrypted(call: Call, user: Reply, last: Reply) -> None:
    """Ask for TLS (RFC 4217), and sign in there where that was refused for want of it."""
    session = Session(call)
    said = session.ask("AUTH", "TLS")
    if said.code != 234:
        note(call, encrypted=Answer.NOTHING if said.code == 421 else Answer.REFUSED)
        return
    note(call, encrypted=Answer.YES)
    wanted = user.code not in (230, 331) or _WANTS_TLS.search(last.text) is not None
    if last.code == 230 or last.code == 421 or not wanted:
        return
    session.secure()
    said = session.ask("USER", ANYBODY)
    if said.code in (230, 331):
        _visit(call, session, said)


def _introduced(greeting: Reply, facts: Files) -> Heard:
    for mark, name in _PRODUCTS:
        if found := mark.search(greeting.text):
            version = found[1] if mark.groups else ""
            return Heard("ftp", name, (version or "").rstrip("."), greeting.text, facts)
    return Heard("ftp", banner=greeting.text, facts=facts)


def _hears(banner: bytes) -> bool:
    return banner[:3] in (b"220", b"120", b"421") and b"SMTP" not in banner[:200].upper()


PROBE = Probe("ftp", talk, hears=_hears, usual=frozenset({20, 21, 990, 2121}))
