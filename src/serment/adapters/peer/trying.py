"""Tries ports of one address: whether a connection is accepted, and which protocol answers.

A hello of each protocol and nothing after it: no account, no certificate of ours, no question about
a patient, and nothing of what was said is kept but the protocol's name.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from serment.adapters.network.association import OWN_TITLE
from serment.adapters.network.dialer import Dialer
from serment.adapters.network.hello import HANDSHAKE, RECORD, client_hello
from serment.adapters.network.line import Budget, Ended, Line
from serment.adapters.network.scope import NEVER_SPOKEN_TO, Scope
from serment.adapters.network.sweep import State, sweep
from serment.adapters.peer.limits import CONNECT_SECONDS, TALK_SECONDS, TALKS_AT_ONCE
from serment.core.dicom.known import IMPLICIT_LITTLE
from serment.core.dicom.pdu import HEADER, PduType, PresentationContext, build_abort
from serment.core.dicom.requestor import build_associate_request
from serment.core.exposure.peer.visit import Reached, Tried

_VERIFICATION: Final = PresentationContext(1, "1.2.840.10008.1.1", (IMPLICIT_LITTLE,))
_LISTENING: Final = 0.8  # seconds for who speaks first
_ANSWERING: Final = 1.0
_ALERT: Final = 21
_DEVICE_PORTS: Final = 8
_REACHED: Final = {
    State.OPEN: Reached.OPEN,
    State.CLOSED: Reached.CLOSED,
    State.SILENT: Reached.SILENT,
}
_BANNERS: Final = (
    (b"SSH-", "ssh"),
    (b"RFB ", "vnc"),
    (b"\xff\xfb", "telnet"),
    (b"\xff\xfd", "telnet"),
    (b"* OK", "mail"),
    (b"+OK", "mail"),
)
_RDP: Final = bytes.fromhex("0300001302e000000000000100080003000000")  # MS-RDPBCGR 2.2.1.1


def try_ports(address: str, ports: Sequence[int]) -> tuple[Tried, ...]:
    """Each port once, in the order given; nothing else of the address, and no other address."""
    dialer = Dialer(Scope([address]))
    places = [(address, port) for port in ports]
    states = {port: state for (_, port), state in sweep(dialer, places, CONNECT_SECONDS)}
    opened = [port for port in ports if states.get(port) is State.OPEN]
    lanes = 1 if len(opened) <= _DEVICE_PORTS else TALKS_AT_ONCE  # few: it may be a modality
    with ThreadPoolExecutor(lanes) as pool:
        heard = dict(
            zip(
                opened, pool.map(lambda port: recognise(dialer, address, port), opened), strict=True
            )
        )
    return tuple(
        Tried(port, _REACHED[states.get(port, State.SILENT)], heard.get(port, "")) for port in ports
    )


def recognise(dialer: Dialer, address: str, port: int) -> str:
    """The name of the protocol, of `visit.PROTOCOLS`; printers are never spoken to."""
    if port in NEVER_SPOKEN_TO:
        return "printer"
    budget = Budget(TALK_SECONDS, _LISTENING)
    for ask in _QUESTIONS:
        with contextlib.suppress(Ended), dialer.line(address, port, budget) as line:
            if name := ask(line):
                return name
        budget.patience = _ANSWERING
    return "unknown" if budget.heard else "silent"


def _banner(line: Line) -> str:
    said = line.some(256)
    if said.startswith(b"220"):
        return "ftp" if b"ftp" in said.lower() else "mail"
    if said[3:5] == b"\0\x0a" or said[3:5] == b"\0\xff":  # packet 0: a greeting, or a refusal
        return "mysql"
    return next((name for start, name in _BANNERS if said.startswith(start)), "")


def _dicom(line: Line) -> str:
    line.send(build_associate_request("ANY-SCP", OWN_TITLE, (_VERIFICATION,), 16384))
    kind, length = HEADER.unpack(line.exactly(HEADER.size))
    if kind == PduType.ASSOCIATE_AC and 68 < length < 4096:
        line.send(build_abort())
        return "dicom"
    return "dicom" if kind in (PduType.ASSOCIATE_RJ, PduType.ABORT) and length == 4 else ""


def _http(line: Line) -> str:
    line.send(b"HEAD / HTTP/1.0\r\nUser-Agent: SERMENT-AUDIT/1\r\n\r\n")
    return "http" if line.exactly(5) == b"HTTP/" else ""


def _tls(line: Line) -> str:
    line.send(client_hello("TLSv1.2", os.urandom(64)))
    kind, version, length = RECORD.unpack(line.exactly(RECORD.size))
    is_alert = kind == _ALERT and length == 2
    return "tls" if version >> 8 == 3 and (kind == HANDSHAKE or is_alert) else ""


def _rdp(line: Line) -> str:
    line.send(_RDP)
    said = line.exactly(6)
    return "rdp" if said[:2] == b"\3\0" and said[5] == 0xD0 else ""


def _redis(line: Line) -> str:
    line.send(b"PING\r\n")
    said = line.exactly(5)
    return "redis" if said in (b"+PONG", b"-NOAU", b"-DENI") else ""


_QUESTIONS: Final[tuple[Callable[[Line], str], ...]] = (_banner, _dicom, _http, _tls, _rdp, _redis)
