"""The first message of TLS, made by hand: who answers it speaks TLS, in that version. Pure bytes.

A library of today no longer offers the old versions that an audit looks for; and what a server
sends in clear (its version, its certificate before TLS 1.3) can be read without any key.

Source: RFC 6101 (SSL 3.0), RFC 5246 (TLS 1.2) section 7.4, RFC 8446 (TLS 1.3) section 4.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

VERSIONS: Final = {
    "SSLv3": 0x0300,
    "TLSv1": 0x0301,
    "TLSv1.1": 0x0302,
    "TLSv1.2": 0x0303,
    "TLSv1.3": 0x0304,
}
HANDSHAKE: Final = 22
ALERT: Final = 21
SERVER_HELLO: Final = 2
CERTIFICATE: Final = 11
CERTIFICATE_REQUEST: Final = 13
DONE: Final = 14  # ServerHelloDone: nothing more comes in clear
RECORD: Final = struct.Struct(">BHH")  # content type, version, length
RECORD_LIMIT: Final = (1 << 14) + 2048

_ANY_TLS13: Final = (0x1301, 0x1302, 0x1303)
_ANY_OLDER: Final = (
    # ECDHE, DHE and RSA with AES, ChaCha20, Camellia, 3DES and RC4: whatever an old machine has
    *(0xC02C, 0xC02B, 0xC030, 0xC02F, 0xCCA9, 0xCCA8, 0xC024, 0xC023, 0xC028, 0xC027),
    *(0xC00A, 0xC009, 0xC014, 0xC013, 0x009F, 0x009E, 0xCCAA, 0x006B, 0x0067, 0x0039, 0x0033),
    *(0x009D, 0x009C, 0x003D, 0x003C, 0x0035, 0x002F, 0x0084, 0x0041, 0xC012, 0xC008),
    *(0x0016, 0x000A, 0xC011, 0xC007, 0x0005, 0x0004, 0x00FF),
)
UNENCRYPTED, ANONYMOUS = "NULL", "anonymous"
_UNENCRYPTED: Final = (0xC006, 0xC010, 0xC015, 0x003B, 0x0002, 0x0001)
_ANONYMOUS: Final = (
    # without any certificate: AES, Camellia, 3DES and RC4
    *(0xC019, 0xC018, 0x00A7, 0x00A6, 0x006D, 0x006C, 0x003A, 0x0034),
    *(0x00C5, 0x00BF, 0x0089, 0x0046, 0xC017, 0x001B, 0xC016, 0x0018),
)
WEAK: Final = _UNENCRYPTED + _ANONYMOUS
_GROUPS: Final = (0x001D, 0x0017, 0x0018, 0x0019, 0x0100)
_SIGNATURES: Final = (
    *(0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0804, 0x0805, 0x0806),
    *(0x0809, 0x080A, 0x080B, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201, 0x0402, 0x0202),
)
_X25519: Final = 0x001D


def client_hello(
    version: str, random: bytes, name: str = "", ciphers: tuple[int, ...] = ()
) -> bytes:
    """A ClientHello that offers this version alone, of `VERSIONS`.

    Args:
        random: 64 bytes; the second half serves as a key share, whose secret nobody has.
        name: the host that is called (RFC 6066 section 3); "" for none.
        ciphers: what is offered; () = all that the version has, the worst last.
    """
    number = VERSIONS[version]
    newest = version == "TLSv1.3"
    ciphers = ciphers or (_ANY_TLS13 if newest else _ANY_OLDER + WEAK)
    body = struct.pack(">H", min(number, 0x0303)) + random[:32] + b"\0"
    body += _sized(_shorts(ciphers)) + b"\1\0"
    if number > VERSIONS["SSLv3"]:
        body += _sized(_named(name) + _extensions(newest, random[32:64]))
    message = b"\1" + len(body).to_bytes(3, "big") + body
    return RECORD.pack(HANDSHAKE, min(number, 0x0301), len(message)) + message


def weakness(server_hello: bytes) -> str:
    """What is wrong with the cipher suite that a ServerHello's body agrees to: `UNENCRYPTED`, `ANONYMOUS`
    or "" (IANA's registry of TLS cipher suites)."""
    at = 35 + (server_hello[34] if len(server_hello) > 34 else 0)
    chosen = int.from_bytes(server_hello[at : at + 2], "big")
    if chosen in _UNENCRYPTED:
        return UNENCRYPTED
    return ANONYMOUS if chosen in _ANONYMOUS else ""


def chosen_version(server_hello: bytes) -> str:
    """The version that a ServerHello's body agrees to; empty when it is none of `VERSIONS`."""
    number = int.from_bytes(server_hello[:2], "big")
    session = server_hello[34] if len(server_hello) > 34 else 0
    at = 35 + session + 3 + 2
    while at + 4 <= len(server_hello):
        kind, length = struct.unpack_from(">HH", server_hello, at)
        if kind == 43 and length == 2:  # supported_versions
            number = int.from_bytes(server_hello[at + 4 : at + 6], "big")
        at += 4 + length
    return next((name for name, value in VERSIONS.items() if value == number), "")


def messages(handshake: bytes) -> Iterator[tuple[int, bytes]]:
    """The whole handshake messages in some joined records: type and body."""
    at = 0
    while at + 4 <= len(handshake):
        length = int.from_bytes(handshake[at + 1 : at + 4], "big")
        if at + 4 + length > len(handshake):
            return
        yield handshake[at], handshake[at + 4 : at + 4 + length]
        at += 4 + length


def first_certificate(body: bytes) -> bytes:
    """The server's own certificate (DER) in a Certificate message before TLS 1.3; may be empty."""
    length = int.from_bytes(body[3:6], "big")
    return body[6 : 6 + length] if len(body) >= 6 + length else b""


def _named(name: str) -> bytes:
    return _extension(0, _sized(b"\0" + _sized(name.encode("ascii")))) if name else b""


def _extensions(newest: bool, share: bytes) -> bytes:
    found = _extension(10, _sized(_shorts(_GROUPS))) + _extension(11, b"\1\0")
    found += _extension(13, _sized(_shorts(_SIGNATURES)))
    if newest:
        found += _extension(43, b"\2" + _shorts([VERSIONS["TLSv1.3"]]))
        found += _extension(51, _sized(_shorts([_X25519]) + _sized(share)))
    return found


def _extension(kind: int, value: bytes) -> bytes:
    return struct.pack(">H", kind) + _sized(value)


def _shorts(numbers: list[int] | tuple[int, ...]) -> bytes:
    return struct.pack(f">{len(numbers)}H", *numbers)


def _sized(value: bytes) -> bytes:
    return struct.pack(">H", len(value)) + value
