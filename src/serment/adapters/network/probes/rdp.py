"""RDP: whether Network Level Authentication is required before a session begins.

One connection request for TLS without NLA; how the server answers says what it insists on. No
session begins, and the request's cookie says who asks.
Source: MS-RDPBCGR 2.2.1.1 (Connection Request), 2.2.1.2 (Connection Confirm), RFC 1006.
"""

from __future__ import annotations

import struct
from typing import Final

from serment.adapters.network.probing import Call, Heard, Probe
from serment.core.exposure.seen import Answer, Remote

_TPKT: Final = struct.Struct(">BBH")
_VERSION: Final = 3
_LIMIT: Final = 512  # bytes of an answer
_CONFIRM: Final = 0xD0
_CONNECTION: Final = 0xE0
_COOKIE: Final = b"Cookie: mstshash=SERMENT\r\n"
_TLS_WANTED: Final = struct.pack("<BBHI", 1, 0, 8, 1)  # negotiation request: TLS without NLA
_GRANTED, _FAILED = 2, 3
_NLA_REQUIRED: Final = (5, 6)  # failure codes: HYBRID_REQUIRED, SSL_WITH_USER_AUTH_REQUIRED


def talk(call: Call) -> Heard | None:
    """Ask for a connection with TLS alone."""
    with call.line() as line:
        line.send(request())
        version, _, size = _TPKT.unpack(line.exactly(_TPKT.size))
        if version != _VERSION or not 11 <= size <= _LIMIT:
            return None
        required = judge(line.exactly(size - _TPKT.size))
        if required is None:
            return None
        return Heard("rdp", facts=Remote(network_level=required))


def request() -> bytes:
    """The X.224 connection request."""
    body = struct.pack(">BHHB", _CONNECTION, 0, 0, 0) + _COOKIE + _TLS_WANTED
    return _TPKT.pack(_VERSION, 0, _TPKT.size + 1 + len(body)) + bytes([len(body)]) + body


def judge(untrusted: bytes) -> Answer | None:
    """Whether NLA is required (YES) or a session begins without (REFUSED); None = no RDP.

    A server without negotiation, or that cannot do TLS, has only RDP's own, older security.
    """
    if len(untrusted) < 7 or untrusted[1] & 0xF0 != _CONFIRM or untrusted[0] != len(untrusted) - 1:
        return None
    said = untrusted[7:15]
    if len(said) < 8:
        return Answer.REFUSED if not said else None
    kind, _, size, value = struct.unpack("<BBHI", said)
    if size != 8 or kind not in (_GRANTED, _FAILED):
        return None
    return Answer.YES if kind == _FAILED and value in _NLA_REQUIRED else Answer.REFUSED


PROBE = Probe("rdp", talk, usual=frozenset({3389, 3390}), rank=43, begins=(b"\3\0\0",))
