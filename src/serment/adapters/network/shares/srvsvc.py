"""The list of shares of a Windows or Samba server: NetrShareEnum over DCE/RPC, level 1.

Builds two requests and reads two answers; how they cross is `smb`'s business. Only the names of
shared folders are given back: printers, pipes and administrators' shares are not.
Source: MS-SRVS 3.1.4.8 and 2.2.4.23, C706 chapter 12 (connection-oriented PDUs) and 14 (NDR).
"""

from __future__ import annotations

import struct
import uuid
from typing import Final

from serment.errors import N_, FormatError

SHARES: Final = 64  # of one server
HEADER: Final = struct.Struct("<BBBBIHHI")
LAST: Final = 0x02  # flag of the last fragment
_RESPONSE, _BIND_ACK = 2, 12
_LARGEST: Final = 4280
_LEVEL: Final = 1
_SPECIAL, _KIND = 0x80000000, 0x0FFFFFFF
_SRVSVC: Final = (uuid.UUID("4b324fc8-1670-01d3-1278-5a47bf6ee188").bytes_le, 3)
_NDR: Final = (uuid.UUID("8a885d04-1ceb-11c9-9fe8-08002b104860").bytes_le, 2)
_ENUM: Final = 15


def bind() -> bytes:
    """Ask for the service of shares."""
    service, syntax = (each + struct.pack("<I", version) for each, version in (_SRVSVC, _NDR))
    body = struct.pack("<HHIBxxxHBx", _LARGEST, _LARGEST, 0, 1, 0, 1) + service + syntax
    return _pdu(11, 1, body)


def enumerate_shares() -> bytes:
    """Ask for all shares, with their kinds."""
    stub = struct.pack("<IIIIIIII", 0, _LEVEL, _LEVEL, 0x20004, 0, 0, 0xFFFFFFFF, 0)
    return _pdu(0, 2, struct.pack("<IHH", len(stub), 0, _ENUM) + stub)


def is_bound(untrusted: bytes) -> bool:
    """Whether the answer to `bind` is yes."""
    return len(untrusted) >= HEADER.size and untrusted[2] == _BIND_ACK


def read_fragment(untrusted: bytes) -> tuple[bytes, bool]:
    """The payload of one answer, and whether it is the last.

    Raises:
        FormatError: it is no answer (a refusal, or something else).
    """
    if len(untrusted) < HEADER.size + 8 or untrusted[2] != _RESPONSE:
        raise FormatError(N_("this is no list of shares"))
    _, _, _, flags, _, length, _, _ = HEADER.unpack_from(untrusted)
    return untrusted[HEADER.size + 8 : max(length, HEADER.size + 8)], bool(flags & LAST)


def read_shares(untrusted: bytes) -> list[str]:
    """Names of the shared folders, at most `SHARES`.

    Raises:
        FormatError: it is not understood.
    """
    try:
        return _Reader(untrusted).shares()
    except (struct.error, ValueError):
        raise FormatError(N_("this is no list of shares")) from None


def _pdu(kind: int, call: int, body: bytes) -> bytes:
    length = HEADER.size + len(body)
    return HEADER.pack(5, 0, kind, 0x03, 0x10, length, 0, call) + body


class _Reader:
    """NDR, little-endian, of one answer."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def shares(self) -> list[str]:
        level, switch, container = self._words(3)
        if (level, switch) != (_LEVEL, _LEVEL) or not container:
            raise ValueError
        count, array = self._words(2)
        if not array or not count:
            return []
        if self._words(1)[0] != count:
            raise ValueError
        count = min(count, (len(self._data) - self._at) // 12)
        rows = [self._words(3) for _ in range(count)]
        found = []
        for name, kind, remark in rows:
            text = self._text() if name else ""
            if remark:
                self._text()
            if kind & _KIND == 0 and not kind & _SPECIAL and text:
                found.append(text)
            if len(found) == SHARES:
                break
        return found

    def _text(self) -> str:
        _, start, length = self._words(3)
        size = 2 * length
        if start or self._at + size > len(self._data):
            raise ValueError
        text = self._data[self._at : self._at + size].decode("utf-16-le", "surrogatepass")
        self._at += size + -size % 4
        return text.rstrip("\0")

    def _words(self, count: int) -> tuple[int, ...]:
        found = struct.unpack_from(f"<{count}I", self._data, self._at)
        self._at += 4 * count
        return found
