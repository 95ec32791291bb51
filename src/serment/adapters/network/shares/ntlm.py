"""NTLM messages of somebody without an account: nobody at all, and the guest whose password is empty.

No other password is ever tried, so no key is derived and nothing is signed.
Source: MS-NLMP 2.2.1 (messages), 3.3.2 (NTLMv2).
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from dataclasses import dataclass
from typing import Final

from serment.errors import N_, FormatError

GUEST: Final = "guest"
_MARK: Final = b"NTLMSSP\0"
# UNICODE, REQUEST_TARGET, NTLM, ALWAYS_SIGN, EXTENDED_SESSIONSECURITY, TARGET_INFO, 128, 56
_FLAGS: Final = 0x00000001 | 0x4 | 0x200 | 0x8000 | 0x80000 | 0x800000 | 0x20000000 | 0x80000000
_ANONYMOUS: Final = 0x800
_EMPTY: Final = bytes.fromhex("31d6cfe0d16ae931b73c59d7e0c089c0")  # MD4 of the empty password
_CHALLENGE: Final = struct.Struct("<8sIHHII8s8sHHI")
_HEADER: Final = 64  # bytes of an AUTHENTICATE message before its values
_END_OF_LIST, _TIMESTAMP = 0, 7  # MS-NLMP 2.2.2.1


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a server answers first; `version` is that of its Windows, "" where it tells none."""

    nonce: bytes
    target: bytes
    version: str = ""


def negotiate() -> bytes:
    """The first message."""
    return _MARK + struct.pack("<II8x8x", 1, _FLAGS)


def read_challenge(untrusted: bytes) -> Challenge:
    """The answer to it, wherever it stands in a security token.

    Raises:
        FormatError: there is none.
    """
    at = untrusted.find(_MARK)
    message = untrusted[at:] if at >= 0 else b""
    if len(message) < _CHALLENGE.size:
        raise FormatError(N_("this is no NTLM challenge"))
    _, kind, _, _, _, flags, nonce, _, length, _, start = _CHALLENGE.unpack_from(message)
    if kind != 2:
        raise FormatError(N_("this is no NTLM challenge"))
    version = ""
    if flags & 0x02000000 and len(message) >= 56:
        major, minor, build = struct.unpack_from("<BBH", message, 48)
        version = f"{major}.{minor}.{build}"
    return Challenge(nonce, message[start : start + length], version)


def as_nobody() -> bytes:
    """The last message of a session without any account (MS-NLMP 3.2.5.1.2)."""
    return _authenticate(b"\0", b"", "", _FLAGS | _ANONYMOUS)


def as_guest(challenge: Challenge, own: bytes) -> bytes:
    """The last message of the guest, with the empty password; `own` are 8 bytes of ours."""
    name = GUEST.upper().encode("utf-16-le")
    key = hmac.new(_EMPTY, name, hashlib.md5).digest()
    said = b"\x01\x01" + bytes(6) + _time(challenge.target) + own + bytes(4) + challenge.target
    blob = said + bytes(4)
    proof = hmac.new(key, challenge.nonce + blob, hashlib.md5).digest()
    return _authenticate(bytes(24), proof + blob, GUEST, _FLAGS)


def _time(target: bytes) -> bytes:
    """The server's own time, as it says it: ours is nobody's business."""
    at = 0
    while at + 4 <= len(target):
        kind, length = struct.unpack_from("<HH", target, at)
        if kind == _TIMESTAMP and length == 8:
            return target[at + 4 : at + 12].ljust(8, b"\0")
        if kind == _END_OF_LIST:
            break
        at += 4 + length
    return bytes(8)


def _authenticate(lm: bytes, nt: bytes, user: str, flags: int) -> bytes:
    values = [lm, nt, b"", user.encode("utf-16-le"), b"", b""]
    fields, at = b"", _HEADER
    for value in values:
        fields += struct.pack("<HHI", len(value), len(value), at)
        at += len(value)
    return _MARK + struct.pack("<I", 3) + fields + struct.pack("<I", flags) + b"".join(values)
