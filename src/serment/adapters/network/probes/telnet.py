"""Telnet: recognised by its negotiation or its prompt; nothing is typed, no password is tried.

Every option is declined, so that the server comes to its prompt. Who negotiates nothing is telnet when
it greets in words of no other protocol and then waits at a prompt. Source: RFC 854, RFC 855.
"""

from __future__ import annotations

import re
from typing import Final

from serment.adapters.network.line import Ended, Line, Silent
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
_SHELL: Final = re.compile(rb"(?:^|[\r\n])[^\r\n]{0,60}[#$>] ?\Z")
# How protocols begin that also greet in words: FTP, SMTP, SSH, VNC, rsync, POP3, IMAP, markup, JSON.
_OTHERS: Final = re.compile(rb"\d{3}[ -]|SSH-|RFB |@RSYNCD|\+OK|-ERR|\* |HTTP/|[<{]")
_WORDS: Final = re.compile(rb"[\t\r\n\x20-\x7e\x80-\xff]+\0?")
_ESCAPES: Final = re.compile(rb"\x1b\[[0-9;?]{0,16}[A-Za-z]")


def hears(banner: bytes) -> bool:
    """Whether it negotiates as telnet does, or ends at a prompt in words of no other protocol."""
    return negotiates(banner) or (greets(banner) and judge(banner) is not Answer.NOTHING)


def negotiates(banner: bytes) -> bool:
    """Whether it begins with a command of telnet about an option."""
    if len(banner) < 3 or banner[0] != _IAC:
        return False
    return _DONT >= banner[1] >= _WILL or banner[1] == _SB


def greets(untrusted: bytes) -> bool:
    """Whether these are words, not those with which another protocol begins: a prompt may follow."""
    text = _plain(untrusted)
    return _WORDS.fullmatch(text) is not None and not _OTHERS.match(text.lstrip())


def talk(call: Call) -> Heard | None:
    """Decline everything and see where it ends: at a question for a name, or inside."""
    with call.line() as line:
        text, is_telnet, waits = _listen(call, line)
    state = judge(text)
    is_prompt = state is Answer.REFUSED or (state is Answer.YES and waits)
    if not is_telnet and not (is_prompt and greets(text)):
        return None
    return Heard("telnet", facts=Remote(without_password=state, clear=not call.tls))


def judge(untrusted: bytes) -> Answer:
    """Whether what it says ends at a shell's prompt; a menu, or silence, says nothing."""
    text = _plain(untrusted)
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


def _plain(untrusted: bytes) -> bytes:
    return _ESCAPES.sub(b"", untrusted).rstrip(b"\0")


def _listen(call: Call, line: Line) -> tuple[bytes, bool, bool]:
    """What it says, whether it negotiated, and whether it waits for us. What ends like a prompt in the
    middle of a stream, or before the peer closes, is no shell's: where nothing was negotiated, silence
    has to follow it."""
    text, rest, is_telnet = b"", b"", False
    for _ in range(_PIECES):
        try:
            heard = line.some(_LIMIT)
        except Silent:
            return text, is_telnet, True
        except Ended:
            break
        if not heard:
            break
        more, answers, rest = separate((rest + heard)[:_LIMIT])
        text = (text + more)[-_LIMIT:]
        if answers:
            line.send(answers)
        if (answers or negotiates(heard)) and not is_telnet:
            is_telnet = True
            call.understood()
            call.heard = Heard("telnet", facts=Remote(clear=not call.tls))
            call.budget.patience = _PATIENCE
        state = judge(text)
        if state is Answer.REFUSED or (is_telnet and state is Answer.YES):
            break
    return text, is_telnet, False


PROBE = Probe("telnet", talk, hears, usual=frozenset({23, 2323}), rank=52, listens=greets)
