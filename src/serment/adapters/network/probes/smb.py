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

from serment.adapters.network.line import Cut, Ended, Gone, Line, Silent
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
    """Say hello; sign in as nobody, then as the guest; ask for older dialects."""
    opened = _open(call)
    if opened is None:
        return None
    call.understood()
    session, agreed = opened
    signing = Answer.YES if agreed.must_sign else Answer.REFUSED
    encrypted = Answer.YES if agreed.encrypts else Answer.REFUSED
    dialects = (_name(agreed),)
    call.heard = Heard("smb", facts=Files(dialects=dialects, signing=signing, encrypted=encrypted))
    with contextlib.suppress(Gone, Silent):
        _visit(call, session, lambda _: ntlm.as_nobody())
    if not known(call).shares and (again := _open(call)):
        with contextlib.suppress(Gone, Silent):
            _visit(call, again[0], partial(_as_guest, os.urandom(8)))
    if agreed.dialect != smb.OLDEST:
        older = [each for each in _older(call) if each not in dialects]
        note(call, dialects=(*older, *dialects))
    return call.heard


def _name(agreed: smb.Hello) -> str:
    if agreed.dialect == smb.OLDEST:
        return "NT1"
    return "SMB3" if agreed.dialect in smb.NEW else "SMB2"


def _as_guest(own: bytes, challenge: ntlm.Challenge) -> bytes:
    return ntlm.as_guest(challenge, own)


def _open(call: Call) -> tuple[Session | OldSession, smb.Hello] | None:
    """A connection after its hello. SMB 3.1.1, which wants requests signed, is offered only where
    nothing older of SMB 2 is spoken; SMB 1 where SMB 2 is cut off."""
    with contextlib.suppress(Gone):
        for dialects in (_ALL[:-1], _ALL[-1:]):
            line = _line(call)
            if agreed := smb.hello(line, dialects, os.urandom(16)):
                return Session(line), agreed
        return None
    line = _line(call)
    old = smb.hello_old(line)
    return (OldSession(line), old) if old else None


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


def _visit(call: Call, session: Session | OldSession, last: Sign) -> None:
    """Sign in; list the shares and what is in them."""
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


def _count(call: Call, session: Session | OldSession, names: list[str]) -> None:
    tally, shown = Tally(), 0
    for name in names[:SHARES]:
        with contextlib.suppress(Refused):
            writable = Answer.YES if session.open_share(name) else known(call).writable
            for number, _ in enumerate(walk("", session.show, tally)):
                shown += number == 0
                note_files(call, tally, shares=shown, writable=writable)


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
