"""SMB on the wire: frames, and the hellos that tell which dialects a server agrees to.

What is asked in a session is `smb_session`'s business. Lengths are believed up to a bound only.
Source: MS-SMB2 2.1 (transport), 2.2.1 (header), 2.2.3 and 2.2.4 (negotiate); MS-CIFS 2.2.4.52;
RFC 1002 section 4.3 (NetBIOS sessions).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from serment.adapters.network.line import Cut, Gone, Line

SMB1, SMB2 = b"\xffSMB", b"\xfeSMB"
OLDEST: Final = 1  # our number for NT LM 0.12, which has none
OLD: Final = (0x0202, 0x0210)  # dialects of SMB 2
NEW: Final = (0x0300, 0x0302, 0x0311)  # and of SMB 3
HEADER: Final = struct.Struct("<4sHHIHHIIQIIQ16s")
FRAME: Final = 256 * 1024  # bytes of one message
NETBIOS: Final = 139
_NEGOTIATE_1: Final = 0x72
_KEEP_ALIVES: Final = 10
_MESSAGE, _SESSION_REQUEST, _SESSION_GIVEN, _KEEP_ALIVE = 0x00, 0x81, 0x82, 0x85
_SIGNING_REQUIRED: Final = 0x02
_SIGNING_REQUIRED_1: Final = 0x08
_ENCRYPTION: Final = 0x40
_PREAUTH, _CIPHERS = 1, 2  # kinds of negotiate contexts
_ANSWER: Final = struct.Struct("<HHHH16sIIII8s8sHHI")


@dataclass(frozen=True, slots=True)
class Hello:
    """What a server agreed to: `dialect` as its number (0x0300), or `OLDEST`."""

    dialect: int
    must_sign: bool
    encrypts: bool = False


def send(line: Line, message: bytes) -> None:
    """One message, framed."""
    line.send(struct.pack(">I", len(message)) + message)


def receive(line: Line) -> bytes:
    """The next message. `Gone` when it is none, `Cut` when it is larger than any we ask for."""
    for _ in range(_KEEP_ALIVES):
        (word,) = struct.unpack(">I", line.exactly(4))
        kind, length = word >> 24, word & 0xFFFFFF
        if kind == _KEEP_ALIVE:
            continue
        if kind != _MESSAGE or length < 32:
            raise Gone
        if length > FRAME:
            raise Cut
        return line.exactly(length)
    raise Cut


def begin_netbios(line: Line) -> None:
    """What port 139 wants before the first message. `Gone` when it is refused."""
    called, calling = (_encoded(name) for name in ("*SMBSERVER", "SERMENT-AUDIT"))
    line.send(struct.pack(">I", _SESSION_REQUEST << 24 | 68) + called + calling)
    if line.exactly(4)[0] != _SESSION_GIVEN:
        raise Gone


def hello_old(line: Line) -> Hello | None:
    """Offer NT LM 0.12 (SMB 1) alone; None when it is not accepted."""
    dialects = b"\x02NT LM 0.12\0"
    header = struct.pack("<4sBIBH12xHHHH", SMB1, _NEGOTIATE_1, 0, 0x18, 0xC803, 0, 0xFEFF, 0, 1)
    send(line, header + struct.pack("<BH", 0, len(dialects)) + dialects)
    said = receive(line)
    if said[:5] != SMB1 + bytes([_NEGOTIATE_1]) or len(said) < 36:
        return None
    words, index, security = struct.unpack_from("<BHB", said, 32)
    if words < 13 or index != 0:
        return None
    return Hello(OLDEST, bool(security & _SIGNING_REQUIRED_1))


def hello(line: Line, dialects: tuple[int, ...], own: bytes) -> Hello | None:
    """Offer dialects of SMB 2 and 3; None when none is accepted. `own` are 16 bytes of ours."""
    send(
        line,
        HEADER.pack(SMB2, 64, 0, 0, 0, 31, 0, 0, 0, 0, 0, 0, bytes(16)) + _offer(dialects, own),
    )
    said = receive(line)
    if said[:4] != SMB2:
        raise Gone
    status = HEADER.unpack_from(said)[3] if len(said) >= HEADER.size else 1
    if status or len(said) < HEADER.size + _ANSWER.size:
        return None
    return _read_answer(said, dialects)


def _read_answer(said: bytes, offered: tuple[int, ...]) -> Hello | None:
    _, mode, dialect, count, _, can, _, _, _, _, _, _, _, at = _ANSWER.unpack_from(
        said, HEADER.size
    )
    if dialect not in offered:
        return None
    encrypts = bool(can & _ENCRYPTION) and dialect in NEW[:2]
    if dialect == NEW[-1]:
        encrypts = _CIPHERS in _contexts(said, at, count)
    return Hello(dialect, bool(mode & _SIGNING_REQUIRED), encrypts)


def _contexts(said: bytes, at: int, count: int) -> set[int]:
    """Kinds of the contexts of an answer (MS-SMB2 2.2.4.1); of ciphers only when one was chosen."""
    found = set()
    for _ in range(min(count, 16)):
        if at + 8 > len(said):
            break
        kind, length = struct.unpack_from("<HH", said, at)
        data = said[at + 8 : at + 8 + length]
        if kind != _CIPHERS or (len(data) >= 4 and data[2:4] != b"\0\0"):
            found.add(kind)
        at += 8 + length + -length % 8
    return found


def _offer(dialects: tuple[int, ...], own: bytes) -> bytes:
    listed = struct.pack(f"<{len(dialects)}H", *dialects)
    can = _ENCRYPTION if NEW[0] in dialects else 0
    contexts, at, count = b"", 0, 0
    if NEW[-1] in dialects:
        at = HEADER.size + 36 + len(listed)
        at, count = at + -at % 8, 2
        preauth = struct.pack("<HHH", 1, 16, 1) + own  # SHA-512
        ciphers = struct.pack("<HHHHH", 4, 2, 1, 4, 3)  # AES-128 and 256, GCM and CCM
        contexts = _context(_PREAUTH, preauth) + _context(_CIPHERS, ciphers)
    head = struct.pack("<HHHHI16sIHH", 36, len(dialects), 1, 0, can, own, at, count, 0)
    padding = bytes(-(HEADER.size + 36 + len(listed)) % 8 if count else 0)
    return head + listed + padding + contexts


def _context(kind: int, data: bytes) -> bytes:
    return struct.pack("<HHI", kind, len(data), 0) + data + bytes(-len(data) % 8)


def _encoded(name: str) -> bytes:
    """A NetBIOS name, half a byte a letter (RFC 1001 section 14.1)."""
    padded = name.ljust(16)[:16].encode("ascii")
    letters = bytes(65 + half for byte in padded for half in (byte >> 4, byte & 15))
    return b"\x20" + letters + b"\0"
