"""SNMP: whether a device describes itself to the community `public`. One question in two versions, twice.

Only a product is kept of the answer, and only one of those known here: a description often holds
the device's own name. Source: RFC 1157 section 4.1, RFC 3416 section 3, ITU-T X.690.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from serment.adapters.network.probing import Call, HostProbe
from serment.core.exposure.findings import Place
from serment.core.exposure.seen import Answer, Community, Service

PORT: Final = 161
_SECONDS: Final = 0.5  # for an answer
_TIMES: Final = 2  # a datagram may be lost
_LIMIT: Final = 4096  # bytes of an answer that are looked at
_INTEGER, _TEXT, _NULL, _OID, _SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
_GET, _RESPONSE = 0xA0, 0xA2
_COMMUNITY: Final = b"public"
_DESCRIPTION: Final = bytes([0x2B, 6, 1, 2, 1, 1, 1, 0])  # 1.3.6.1.2.1.1.1.0, sysDescr
_NUMBER: Final = b"\x53\x45\x52"  # of our request
_PRODUCTS: Final = tuple(
    (re.compile(mark, re.IGNORECASE), name)
    for mark, name in (
        (rb"jetdirect|laserjet|officejet|\bhp ethernet", "HP printer"),
        (rb"brother nc-", "Brother printer"),
        (rb"kyocera", "Kyocera printer"),
        (rb"ricoh|savin|lanier", "Ricoh printer"),
        (rb"canon ", "Canon printer"),
        (rb"epson", "Epson printer"),
        (rb"lexmark", "Lexmark printer"),
        (rb"xerox", "Xerox printer"),
        (rb"konica", "Konica Minolta printer"),
        (rb"synology", "Synology"),
        (rb"qnap", "QNAP"),
        (rb"routeros", "MikroTik RouterOS"),
        (rb"cisco ios", "Cisco IOS"),
        (rb"zyxel", "ZyXEL"),
        (rb"ubiquiti|edgeos|unifi", "Ubiquiti"),
        (rb"apc web", "APC"),
        (rb"windows", "Windows"),
        (rb"vxworks", "VxWorks"),
        (rb"freebsd", "FreeBSD"),
        (rb"^linux ", "Linux"),
    )
)


def ask(call: Call) -> Iterator[Service]:
    """Version 2c, and version 1 for older devices, both once more where nothing comes."""
    host = call.place.host
    call.budget.patience = _SECONDS
    asked = [request(version) for version in (1, 0)]
    for _ in range(_TIMES):
        for said in call.dialer.answers(host, PORT, asked, call.budget, most=1):
            described = parse(said)
            if described is not None:
                place, facts = Place(host, PORT, "snmp"), Community(Answer.YES)
                yield Service(place, "snmp", product=product(described), facts=facts)
                return


def request(version: int) -> bytes:
    """A GetRequest for sysDescr.0; `version` 0 = SNMPv1, 1 = SNMPv2c."""
    asked = _told(_SEQUENCE, _told(_OID, _DESCRIPTION) + _told(_NULL, b""))
    zero = _told(_INTEGER, b"\0")
    body = _told(_INTEGER, _NUMBER) + zero + zero + _told(_SEQUENCE, asked)
    head = _told(_INTEGER, bytes([version])) + _told(_TEXT, _COMMUNITY)
    return _told(_SEQUENCE, head + _told(_GET, body))


def parse(untrusted: bytes) -> bytes | None:
    """The description that answers our request; empty when it answers without one, None when this
    is no answer to it."""
    try:
        message = _inside(untrusted[:_LIMIT], _SEQUENCE)
        _, message = _next(message, _INTEGER)
        _, message = _next(message, _TEXT)
        body = _inside(message, _RESPONSE)
        number, body = _next(body, _INTEGER)
        _, body = _next(body, _INTEGER)
        _, body = _next(body, _INTEGER)
        if number != _NUMBER:
            return None
        pair = _inside(_inside(body, _SEQUENCE), _SEQUENCE)
        name, pair = _next(pair, _OID)
        if name != _DESCRIPTION:
            return None
        return _next(pair, _TEXT)[0] if pair[:1] == bytes([_TEXT]) else b""
    except (ValueError, IndexError):
        return None


def product(untrusted: bytes) -> str:
    """The product that a description names; empty when it is none of those known."""
    return next((name for mark, name in _PRODUCTS if mark.search(untrusted)), "")


def _told(kind: int, content: bytes) -> bytes:
    assert len(content) < 128
    return bytes([kind, len(content)]) + content


def _inside(data: bytes, kind: int) -> bytes:
    return _next(data, kind)[0]


def _next(data: bytes, kind: int) -> tuple[bytes, bytes]:
    """The content of the element that begins here, and what follows it (X.690 section 8.1)."""
    if data[0] != kind:
        raise ValueError
    size, at = data[1], 2
    if size & 0x80:
        octets = size & 0x7F
        if not 1 <= octets <= 4:
            raise ValueError
        size, at = int.from_bytes(data[2 : 2 + octets], "big"), 2 + octets
    if size > len(data) - at:
        raise ValueError
    return data[at : at + size], data[at + size :]


HOST_PROBE = HostProbe("snmp", ask)
