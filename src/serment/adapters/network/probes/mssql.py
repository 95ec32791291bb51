"""Microsoft SQL Server: which version answers, and whether it offers to encrypt. Nobody signs in.

The first message of each session is asked for and answered, a session never begins. A named
instance listens on a port of its own choice: the machine's SQL Server Browser (UDP 1434) tells it.
Source: MS-TDS 2.2.3.1 (packet header), 2.2.6.5 (PRELOGIN), 3.3.5.1 (a server hangs up on anything
else); MC-SQLR 2.2.2 (CLNT_UCAST_EX) and 2.2.5 (SVR_RESP).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from serment.adapters.network.line import Cut, Ended, Line
from serment.adapters.network.probing import Call, Heard, HostProbe, Probe
from serment.core.exposure.findings import Place
from serment.core.exposure.seen import Answer, Database, Service

PRODUCT: Final = "Microsoft SQL Server"
BROWSER_PORT: Final = 1434
_HEADER: Final = struct.Struct(">BBHHBB")  # type, status, length, process, number, window
_OPTION: Final = struct.Struct(">BHH")  # token, offset, length
_ASKED, _ANSWERED, _WHOLE = 0x12, 0x04, 0x01
_VERSION, _ENCRYPTION, _INSTANCE, _THREAD, _END = 0, 1, 2, 3, 0xFF
_LIMIT: Final = 4096  # bytes of an answer: the largest packet before a session begins
_ENCRYPTS: Final = {0: Answer.YES, 1: Answer.YES, 2: Answer.REFUSED, 3: Answer.YES}
_LIST_INSTANCES: Final = b"\x03"
_LISTED: Final = b"\x05"
_TCP: Final = re.compile(rb";tcp;(\d{1,5});")
_INSTANCES: Final = 8  # of one machine
_BROWSER_SECONDS: Final = 0.5


def talk(call: Call) -> Heard | None:
    """Ask which version it is."""
    with call.line() as line:
        return _asked(line)


def ask(call: Call) -> Iterator[Service]:
    """The instances that the machine's browser service lists, each asked itself."""
    host = call.place.host
    call.budget.patience = _BROWSER_SECONDS
    for said in call.dialer.datagram(host, BROWSER_PORT, _LIST_INSTANCES, call.budget):
        for port in parse_instances(said):
            call.understood()
            with suppress(Ended), call.beside(port) as line:
                if heard := _asked(line):
                    place = Place(host, port, heard.protocol)
                    yield Service(
                        place, heard.protocol, heard.product, heard.version, facts=heard.facts
                    )


def request() -> bytes:
    """A PRELOGIN that can encrypt and names no instance; its version is that of MS-TDS 4.1."""
    options = (
        (_VERSION, bytes([9, 0, 0, 0, 0, 0])),
        (_ENCRYPTION, b"\0"),
        (_INSTANCE, b"\0"),
        (_THREAD, bytes(4)),
    )
    head, data = b"", b""
    at = len(options) * _OPTION.size + 1
    for token, value in options:
        head += _OPTION.pack(token, at + len(data), len(value))
        data += value
    body = head + bytes([_END]) + data
    return _HEADER.pack(_ASKED, _WHOLE, _HEADER.size + len(body), 0, 0, 0) + body


def parse_answer(untrusted: bytes) -> tuple[str, Answer] | None:
    """Version and encryption of a PRELOGIN's content; None when it is none."""
    options = _options(untrusted)
    version, way = options.get(_VERSION, b""), options.get(_ENCRYPTION, b"")
    if next(iter(options), None) != _VERSION or len(version) != 6 or len(way) != 1:
        return None
    encrypts = _ENCRYPTS.get(way[0])
    if encrypts is None:
        return None
    major, minor, build = struct.unpack_from(">BBH", version)
    return f"{major}.{minor}.{build}" if major else "", encrypts


def parse_instances(untrusted: bytes) -> tuple[int, ...]:
    """The TCP ports in a browser's answer; names are not looked at."""
    if untrusted[:1] != _LISTED:
        return ()
    ports = (int(each) for each in _TCP.findall(untrusted[3:]))
    return tuple(dict.fromkeys(port for port in ports if 0 < port < 65536))[:_INSTANCES]


def _asked(line: Line) -> Heard | None:
    line.send(request())
    kind, status, size, *_ = _HEADER.unpack(line.exactly(_HEADER.size))
    if kind != _ANSWERED or status != _WHOLE:
        return None
    if not _HEADER.size < size <= _LIMIT:
        raise Cut
    found = parse_answer(line.exactly(size - _HEADER.size))
    if found is None:
        return None
    version, encrypts = found
    # There is no session without an account.
    return Heard("mssql", PRODUCT, version, facts=Database(Answer.REFUSED, encrypted=encrypts))


def _options(untrusted: bytes) -> dict[int, bytes]:
    """What each option says; nothing of a list that does not end or points outside itself."""
    found: dict[int, bytes] = {}
    for at in range(0, len(untrusted), _OPTION.size):
        if untrusted[at] == _END:
            return found
        if at + _OPTION.size > len(untrusted):
            break
        token, start, length = _OPTION.unpack_from(untrusted, at)
        if start + length > len(untrusted):
            break
        found.setdefault(token, untrusted[start : start + length])
    return {}


PROBE = Probe(
    "mssql",
    talk,
    usual=frozenset({1433, 1434}),
    rank=45,
    begins=(b"\x04\x01",),
    flees="http",  # and on everything else that is no PRELOGIN
)
HOST_PROBE = HostProbe("mssql", ask)
