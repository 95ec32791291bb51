"""Telnet: recognised by its negotiation or its prompt; nothing is typed, no password is tried.

Every option is declined, so that the server comes to its prompt. Source: RFC 854, RFC 855.
"""

from __future__ import annotations

import contextlib
import re
from typing import Final

from serment.adapters.network.line import Ended, Line
from serment.adapters.network.probing import Call, Heard, Probe
from serment.core.exposure.seen import Answer, Remote

_IAC, _DONT, _DO, _WONT, _WILL, _SB, _SE = 255, 254, 253, 252, 251, 250, 240
_LIMIT: Final = 8192  # bytes that are listened to
_PIECES: Final = 40
_PATIENCE: Final = 1.5
_PROMPT: Final = re.compile(
    rb"(?:log ?in|user ?name|user|password|passwd|identifiant|utilisateur|mot de passe)[^\r\n]{0,20}:\s*$",
    re.IGNORECASE,
)
_SHELL: Final = re.compile(rb"(?:^|[\r\n])[^\r\n]{0,60}[#$>] ?$")
_ESCAPES: Final = re.compile(rb"\x1b\[[0-9;?]{0,16}[A-Za-z]")


def hears(banner: bytes) -> bool:
    """Whether it negotiates as telnet does, or asks for a name."""
    if len(banner) > 2 and banner[0] == _IAC:
        return _DONT >= banner[1] >= _WILL or banner[1] == _SB
    return _PROMPT.search(banner) is not None


def talk(call: Call) -> Heard | None:
    """Decline everything and see where it ends: at a question for a name, or inside."""
    with call.line() as line:
        text, is_telnet = _listen(call, line)
    if not is_telnet and not _PROMPT.search(text):
        return None
    return Heard("telnet", facts=Remote(without_password=judge(text), clear=not call.tls))


def judge(untrusted: bytes) -> Answer:
    """Whether what it says ends at a shell's prompt; a menu, or silence, says nothing."""
    text = _ESCAPES.sub(b"", untrusted).rstrip(b"\0")
    if _PROMPT.search(text):
        return Answer.REFUSED
    return Answer.YES if _SHELL.search(text) else Answer.NOTHING


def separate(untrusted: bytes) -> tuple[bytes, bytes, bytes]:
    """Text, the answers that decline every option in it, and an unfinished command at its end."""
    text, answers, at = bytearray(), bytearray(), 0
    while at < len(untrusted):
        if untrusted[at] != _IAC:
            text.append(untrusted[at])
            at += 1
            continue
        command = untrusted[at + 1 : at + 3]
        if len(command) < 2 and command != bytes([_IAC]):
            break
        if command[0] in (_DO, _WILL):
            no = _WONT if command[0] == _DO else _DONT
            answers += bytes([_IAC, no, command[1]])
        if command[0] == _SB:
            end = untrusted.find(bytes([_IAC, _SE]), at)
            if end < 0:
                break
            at = end + 2
        else:
            at += 3 if _WILL <= command[0] <= _DONT else 2
    return bytes(text), bytes(answers), untrusted[at:]


def _listen(call: Call, line: Line) -> tuple[bytes, bool]:
    """What it says until it waits for us, and whether it negotiated."""
    text, rest, is_telnet = b"", b"", False
    with contextlib.suppress(Ended):
        for _ in range(_PIECES):
            heard = line.some(_LIMIT)
            if not heard:
                break
            more, answers, rest = separate((rest + heard)[:_LIMIT])
            text = (text + more)[-_LIMIT:]
            if answers:
                line.send(answers)
            if (answers or hears(heard)) and not is_telnet:
                is_telnet = True
                call.understood()
                call.heard = Heard("telnet", facts=Remote(clear=not call.tls))
                call.budget.patience = _PATIENCE
            if judge(text) is not Answer.NOTHING:
                break
    return text, is_telnet


PROBE = Probe("telnet", talk, hears, usual=frozenset({23, 2323}), rank=52)
