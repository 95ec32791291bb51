"""FTP and FTPS: whether anybody may sign in, what he could read (counted), and whether it encrypts.

Anonymous signing in is tried once in clear and, where the server wants TLS first, once inside it.
The documented accounts of a product that its greeting names are tried when the order says so. How FTP is spoken is `shares.ftp`'s business.
"""

from __future__ import annotations

import re
from typing import Final

from serment.adapters.network.accounts import with_documented
from serment.adapters.network.line import Cut, Ended
from serment.adapters.network.probing import Call, Heard, Probe
from serment.adapters.network.shares.ftp import Reply, Session
from serment.adapters.network.shares.noting import known, note, note_files
from serment.adapters.network.shares.walk import Refused, Tally, walk
from serment.core.exposure.accounts import Account, announces_lock_out
from serment.core.exposure.seen import Answer, Files

ANYBODY: Final = "anonymous"
WORD: Final = "serment-audit@"  # RFC 1635: an address, so that the other side knows who asked
_OF_USER: Final = frozenset({230, 331, 332, 421, 521, 522, 530, 532, 533, 534, 536, 550})
_BUSY: Final = 421
_WANTS_TLS: Final = re.compile(r"\b(?:tls|ssl|encrypt|secur|chiffr)", re.IGNORECASE)
_PRODUCTS: Final = (
    (re.compile(r"\bnasftpd turbo station", re.I), "QNAP"),  # a ProFTPD, and says so
    (re.compile(r"\bnetwork management card aos\b", re.I), "APC"),
    (re.compile(r"^axis .{1,40}\b(?:camera|video|version)\b", re.I), "Axis"),
    (re.compile(r"\bvsftpd ([\d.]+)", re.I), "vsftpd"),
    (re.compile(r"\bpyftpdlib (?:([\d.]+)|based)", re.I), "pyftpdlib"),
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
    inside = Answer.YES if call.tls else Answer.NOTHING
    call.heard = _introduced(session.greeting, Files(Answer.NOTHING, encrypted=inside))
    last = _visit(call, session, said, private=call.tls)
    if not call.tls:
        last = _encrypted(call, said, last)
    if not announces_lock_out(last.text):
        with_documented(call, call.heard.product, lambda each: _signed_in(call, each), "ftp")
    return call.heard


def _visit(call: Call, session: Session, said: Reply, private: bool = False) -> Reply:
    """Finish signing in; count what is listed. The last answer to signing in."""
    if said.code == 331:
        said = session.password(WORD)
    if said.code != 230:
        note(call, anonymous=_no(said))
        return said
    note(call, anonymous=Answer.YES, shown=Answer.REFUSED)
    _count(call, session, private)
    return said


def _count(call: Call, session: Session, private: bool = False) -> None:
    tally = Tally()
    try:
        if private:
            session.protect()
        for _ in walk(session.base(), session.show, tally):
            writable = Answer.YES if session.writable else Answer.NOT_ASKED
            note_files(call, tally, writable=writable, shown=Answer.YES)
    except (Ended, Refused) as end:
        call.was_cut = call.was_cut or isinstance(end, Cut)


def _encrypted(call: Call, user: Reply, last: Reply) -> Reply:
    """Ask for TLS (RFC 4217), and sign in there where that was refused for want of it. The last
    answer to signing in."""
    session = Session(call)
    said = session.ask("AUTH", "TLS")
    if said.code != 234:
        note(call, encrypted=_no(said))
        return last
    note(call, encrypted=Answer.YES)
    wanted = user.code not in (230, 331) or _WANTS_TLS.search(last.text) is not None
    if last.code == 230 or last.code == _BUSY or not wanted:
        return last
    note(call, anonymous=Answer.NOTHING)  # it may let in whoever encrypts
    session.secure()
    return _visit(call, session, session.ask("USER", ANYBODY))


def _signed_in(call: Call, account: Account) -> tuple[bool, str]:
    """Whether an account is let in, in TLS where that is offered, and the words of a refusal. What it
    may list is counted, unless anybody was shown files already."""
    session = Session(call)
    secured = not call.tls and known(call).encrypted is Answer.YES
    if secured and session.ask("AUTH", "TLS").code == 234:
        session.secure()
    said = session.ask("USER", account.user)
    if said.code == 331:
        said = session.password(account.password)
    if said.code != 230:
        return False, said.text
    if known(call).anonymous is not Answer.YES:
        _count(call, session, private=call.tls)
    return True, ""


def _no(said: Reply) -> Answer:
    """What an answer that lets nobody in means: who is too busy for anybody says 421 (RFC 959)."""
    return Answer.NOTHING if said.code == _BUSY else Answer.REFUSED


def _introduced(greeting: Reply, facts: Files) -> Heard:
    for mark, name in _PRODUCTS:
        if found := mark.search(greeting.text):
            version = found[1] if mark.groups else ""
            return Heard("ftp", name, (version or "").rstrip("."), greeting.text, facts)
    return Heard("ftp", banner=greeting.text, facts=facts)


def _hears(banner: bytes) -> bool:
    return banner[:3] in (b"220", b"120", b"421") and b"SMTP" not in banner[:200].upper()


PROBE = Probe("ftp", talk, hears=_hears, usual=frozenset({20, 21, 990, 2121}))
