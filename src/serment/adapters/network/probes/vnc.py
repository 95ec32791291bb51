"""VNC (RFB): whether a session begins without a password, and whether it is encrypted.

Where "None" is offered, in clear or inside TLS, it is chosen and the answer read; no session begins, no
screen is seen. A server that counts who leaves before that answer (TigerVNC) has no failure to count then.
Source: RFC 6143 section 7.1; rfbproto.rst of the VNC community for VeNCrypt and other types.
"""

from __future__ import annotations

import contextlib
import re
import struct
from typing import Final

from serment.adapters.network.line import Gone, Line, Silent
from serment.adapters.network.probing import Call, Heard, Probe
from serment.core.exposure.seen import Answer, Remote

_VERSION: Final = re.compile(rb"RFB (\d{3})\.(\d{3})\n")
_NONE, _VENCRYPT = 1, 19
_ENCRYPTED: Final = frozenset({5, 18, 19, 23, 24, 129})  # RA2, TLS, VeNCrypt, tunnels
_TLS_NONE, _X509_NONE = 257, 260  # of VeNCrypt: the first has no certificate


def hears(banner: bytes) -> bool:
    """Whether a banner is an RFB version."""
    return banner.startswith(b"RFB ")


def talk(call: Call) -> Heard | None:
    """Agree on a version, read the types of security, ask for the one without a password."""
    with call.line() as line:
        greeting = line.exactly(12)
        version = parse_version(greeting)
        if version is None:
            return None
        call.understood()
        call.heard = Heard("vnc", banner=greeting.decode("ascii"), facts=Remote(Answer.NOTHING))
        line.send(b"RFB %03d.%03d\n" % version)
        types = _old(line) if version < (3, 7) else _offered(line)
        is_open = Answer.REFUSED if types else Answer.NOTHING
        if _NONE in types:
            is_open = _choose(line, version)
        elif _VENCRYPT in types:
            is_open = _vencrypt(line, version)
        is_clear = bool(types) and not _ENCRYPTED.intersection(types) and not call.tls
        facts = Remote(without_password=is_open, clear=is_clear)
        return Heard("vnc", banner=call.heard.banner, facts=facts)


def parse_version(untrusted: bytes) -> tuple[int, int] | None:
    """The version to be spoken: 3.3, 3.7 or 3.8; None when it is no VNC."""
    found = _VERSION.fullmatch(untrusted)
    if found is None:
        return None
    said = int(found[1]), int(found[2])
    return (3, 8) if said >= (3, 8) else (3, 7) if said == (3, 7) else (3, 3)


def _old(line: Line) -> tuple[int, ...]:
    """The type that a server of version 3.3 has chosen; none when it refuses."""
    (kind,) = struct.unpack(">I", line.exactly(4))
    return (kind,) if kind else ()


def _offered(line: Line) -> tuple[int, ...]:
    return tuple(line.exactly(line.exactly(1)[0]))


def _choose(line: Line, version: tuple[int, int]) -> Answer:
    """Whether "None" is granted; before 3.8 there is no answer to it but the session."""
    if version < (3, 8):
        return Answer.YES
    line.send(bytes([_NONE]))
    return _result(line)


def _result(line: Line) -> Answer:
    """SecurityResult: zero lets in."""
    return Answer.REFUSED if any(line.exactly(4)) else Answer.YES


def _vencrypt(line: Line, version: tuple[int, int]) -> Answer:
    """Whether a kind without password is offered inside TLS, and granted there; where TLS does not begin
    with us, the offer has to do."""
    line.send(bytes([_VENCRYPT]))
    if line.exactly(2) < b"\0\2":
        return Answer.REFUSED
    line.send(b"\0\2")
    if line.exactly(1) != b"\0":
        return Answer.REFUSED
    count = line.exactly(1)[0]
    kinds = struct.unpack(f">{count}I", line.exactly(4 * count))
    kind = next((each for each in (_X509_NONE, _TLS_NONE) if each in kinds), None)
    if kind is None:
        return Answer.REFUSED
    with contextlib.suppress(Gone, Silent):
        line.send(struct.pack(">I", kind))
        if line.exactly(1) == b"\1":
            line.start_tls(anonymous=kind == _TLS_NONE)
            return _result(line) if version >= (3, 8) else Answer.YES
    return Answer.YES


PROBE = Probe("vnc", talk, hears, usual=frozenset({5900, 5901, 5902}), rank=50)
