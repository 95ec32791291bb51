"""SMB: the dialects a server agrees to, whether it insists on signing, and what a guest may list.

Two sessions at most are begun: as nobody, and as the guest whose password is empty. Shares and
folders are listed and counted (`shares.smb_session`; `shares.smb_old` where only SMB 1 is spoken).
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from functools import partial
from typing import Final

from serment.adapters.network.line import Cut, Ended, Gone, Line
from serment.adapters.network.probing import NONSENSE, Call, Heard, Probe
from serment.adapters.network.shares import ntlm, smb
from serment.adapters.network.shares.noting import known, note, note_files
from serment.adapters.network.shares.smb_old import OldSession
from serment.adapters.network.shares.smb_session import Session, Sign
from serment.adapters.network.shares.walk import Refused, Tally, walk
from serment.core.exposure.seen import Answer, Files

SHARES: Final = 16  # looked into
_ALL: Final = (*smb.OLD, *smb.NEW)


def talk(call: Call) -> Heard | None:
    """Offer all dialects, then one at a time; sign in as nobody, then as the guest."""
    first = _hello(call)
    if first is None:
        return None
    call.understood()
    signing = Answer.YES if first.must_sign else Answer.REFUSED
    encrypted = Answer.YES if first.encrypts else Answer.REFUSED
    dialects = (_name(first),)
    call.heard = Heard("smb", facts=Files(dialects=dialects, signing=signing, encrypted=encrypted))
    if first.dialect != smb.OLDEST:
        older = [each for each in _older(call) if each not in dialects]
        note(call, dialects=(*older, *dialects))
    own = os.urandom(8)
    for last in (lambda _: ntlm.as_nobody(), partial(_as_guest, own)):
        with contextlib.suppress(Gone):
            _visit(call, first, last)
        if known(call).shares:
            break
    return call.heard


def _name(agreed: smb.Hello) -> str:
    if agreed.dialect == smb.OLDEST:
        return "NT1"
    return "SMB3" if agreed.dialect in smb.NEW else "SMB2"


def _as_guest(own: bytes, challenge: ntlm.Challenge) -> bytes:
    return ntlm.as_guest(challenge, own)


def _hello(call: Call) -> smb.Hello | None:
    """The first hello; where it is cut off, the server may know SMB 1 only."""
    with contextlib.suppress(Gone):
        return smb.hello(_line(call), _ALL, os.urandom(16))
    return smb.hello_old(_line(call))


def _older(call: Call) -> list[str]:
    """Older dialects that are accepted as well."""
    found = []
    with contextlib.suppress(Ended, *NONSENSE):
        if smb.hello_old(_line(call)):
            found.append("NT1")
    with contextlib.suppress(Ended, *NONSENSE):
        if smb.hello(_line(call), smb.OLD, os.urandom(16)):
            found.append("SMB2")
    return found


def _visit(call: Call, agreed: smb.Hello, last: Sign) -> None:
    """Begin a session; list its shares and what is in them."""
    session = _session(call, agreed)
    accepted = session.begin(last)
    _introduce(call, session.version)
    names: list[str] | None = None
    if accepted:
        with contextlib.suppress(Refused, *NONSENSE):
            names = session.shares()
    if names is None:
        if known(call).anonymous is Answer.NOT_ASKED:
            note(call, anonymous=Answer.REFUSED)
        return
    note(call, anonymous=Answer.YES)
    try:
        _count(call, session, names)
    except (Ended, *NONSENSE) as end:
        call.was_cut = call.was_cut or isinstance(end, Cut)


def _session(call: Call, agreed: smb.Hello) -> Session | OldSession:
    """In SMB 3.1.1, which wants requests signed, only where nothing older of SMB 2 is spoken."""
    if agreed.dialect == smb.OLDEST:
        line = _line(call)
        if smb.hello_old(line):
            return OldSession(line)
        raise Gone
    for dialects in (_ALL[:-1], _ALL[-1:]):
        line = _line(call)
        if smb.hello(line, dialects, os.urandom(16)):
            return Session(line)
    raise Gone


def _count(call: Call, session: Session | OldSession, names: list[str]) -> None:
    tally, shown = Tally(), 0
    for name in names[:SHARES]:
        with contextlib.suppress(Refused):
            session.open_share(name)
            for number, _ in enumerate(walk("", session.show, tally)):
                shown += number == 0
                note_files(call, tally, shares=shown)


def _introduce(call: Call, version: str) -> None:
    """Samba calls itself Windows 6.1 without a build number."""
    assert call.heard is not None
    build = version.rpartition(".")[2]
    if build not in ("", "0"):
        call.heard = replace(call.heard, product="Windows", version=version)


def _line(call: Call) -> Line:
    line = call.line()
    if call.place.port == smb.NETBIOS:
        smb.begin_netbios(line)
    return line


PROBE = Probe("smb", talk, usual=frozenset({139, 445, 1445, 4445, 10445}))
