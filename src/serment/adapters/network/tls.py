"""The TLS side of a service: which versions it agrees to, its certificate, whom it lets in.

Every connection is bounded as all others are (`line`); the certificate is a stranger's, and read
in `core.crypto`. What is spoken inside TLS is `recognise`'s business.
"""

from __future__ import annotations

import contextlib
import os
import ssl
from dataclasses import dataclass, replace
from typing import Final

from serment.adapters.network.hello import (
    ALERT,
    CERTIFICATE,
    CERTIFICATE_REQUEST,
    DONE,
    HANDSHAKE,
    RECORD,
    RECORD_LIMIT,
    SERVER_HELLO,
    VERSIONS,
    WEAK,
    chosen_version,
    client_hello,
    first_certificate,
    messages,
    weakness,
)
from serment.adapters.network.line import Cut, Ended, Gone, Line
from serment.adapters.network.probing import Call, Heard
from serment.core.crypto.strangers import read_certificate
from serment.core.exposure.seen import Tls
from serment.errors import FormatError

_FLIGHT_LIMIT: Final = 64 * 1024  # bytes of handshake in clear
_PATIENCE: Final = 1.0
_FLIGHT_SECONDS: Final = 2.0
_RECORDS: Final = 200  # of one flight
_NAMES: Final = 3  # it is called by
_NEWEST: Final = "TLSv1.3"
_CERTIFICATE_WANTED: Final = ("CERTIFICATE_REQUIRED", "BAD_CERTIFICATE")


def talk(call: Call) -> Heard | None:
    """Whether somebody speaks TLS here: a ServerHello or an alert comes back."""
    with call.line() as line:
        line.send(client_hello("TLSv1.2", os.urandom(64)))
        kind, version, length = RECORD.unpack(line.exactly(RECORD.size))
        if kind not in (HANDSHAKE, ALERT) or version >> 8 != 3 or length > RECORD_LIMIT:
            return None
    return Heard("tls")


def answers(call: Call) -> bool:
    """As `talk`, for who has already understood something else."""
    with contextlib.suppress(Ended):
        return talk(call) is not None
    return False


def names(call: Call) -> list[str]:
    """Names that a service may be called by: those it was given by, then its certificate's."""
    given = (name for address, name in call.order.names if address == call.place.host)
    return list(dict.fromkeys([*given, *call.hosts]))[:_NAMES]


def facts(call: Call) -> tuple[Tls, bool, tuple[str, ...]]:
    """What it agrees to, its certificate, whether it asks the caller for one (seen before TLS 1.3
    only), and the names it says it has. Whether it insists shows when something is said inside. One
    that refuses everything is called by the names it was given by: by the one it answers to from then on."""
    found, stalled = _seen(call)
    for name in names(call):
        if found[0].understood or stalled:
            return found
        call.name = name
        found, stalled = _seen(call)
    return found


def _seen(call: Call) -> tuple[tuple[Tls, bool, tuple[str, ...]], int]:
    """`facts` under one name, and how often it stalled."""
    call.close()
    versions, certificate, asks, stalled, weak = [], b"", False, 0, set[str]()
    for version in VERSIONS:
        flight = _ask(call, version)
        stalled += flight.stalled
        if stalled > 1:
            break
        if flight.version == version:
            versions.append(version)
            weak.add(flight.weakness)
        certificate = certificate or flight.certificate
        asks = asks or flight.asks
    older = [version for version in versions if version != _NEWEST]
    if older and not stalled:
        weak.add(_ask(call, older[-1], WEAK).weakness)
    if not stalled:
        certificate = certificate or _within(call)
    seen = Tls(tuple(versions), understood=bool(versions), weak=tuple(sorted(weak - {""})))
    known, hosts = _described(seen, certificate)
    return (known, asks, hosts), stalled


def wants_certificate(refusal: str, asks: bool) -> bool:
    """Whether TLS ended for want of a certificate of ours.

    Args:
        refusal: why it ended, in OpenSSL's words; "" when it did not.
        asks: whether it asked for one: then a handshake that fails has failed for that.
    """
    if any(word in refusal for word in _CERTIFICATE_WANTED):
        return True
    return asks and "HANDSHAKE_FAILURE" in refusal


@dataclass(slots=True)
class _Flight:
    """What a server answers in clear to one ClientHello."""

    version: str = ""
    weakness: str = ""
    certificate: bytes = b""
    asks: bool = False
    stalled: bool = False


def _ask(call: Call, version: str, ciphers: tuple[int, ...] = ()) -> _Flight:
    flight = _Flight()
    call.budget.patience = _PATIENCE
    try:
        with call.budget.within(_FLIGHT_SECONDS), call.line() as line:
            line.send(client_hello(version, os.urandom(64), call.name, ciphers))
            _read_flight(line, flight)
    except Gone:
        pass  # it refuses that version
    except Ended:
        flight.stalled = not flight.version
    return flight


def _read_flight(line: Line, flight: _Flight) -> None:
    handshake = bytearray()
    for _ in range(_RECORDS):
        if len(handshake) > _FLIGHT_LIMIT:
            break
        kind, _, length = RECORD.unpack(line.exactly(RECORD.size))
        if kind != HANDSHAKE or length > RECORD_LIMIT:
            return
        handshake += line.exactly(length)
        for what, body in messages(bytes(handshake)):
            if what == SERVER_HELLO:
                flight.version, flight.weakness = chosen_version(body), weakness(body)
                if flight.version == _NEWEST:
                    return
            elif what == CERTIFICATE:
                flight.certificate = first_certificate(body)
            elif what == CERTIFICATE_REQUEST:
                flight.asks = True
            elif what == DONE:
                return
    raise Cut


def _within(call: Call) -> bytes:
    """The certificate of a server that sends it encrypted only (TLS 1.3). What is asked inside next goes
    on in the same session: a small device may have no place for another."""
    with contextlib.suppress(Ended):
        line = call.line()
        line.start_tls(call.name)
        call.keep(line)
        assert isinstance(line.socket, ssl.SSLSocket)
        return line.socket.getpeercert(binary_form=True) or b""
    return b""


def _described(known: Tls, certificate: bytes) -> tuple[Tls, tuple[str, ...]]:
    try:
        read = read_certificate(certificate)
    except FormatError:
        return known, ()
    described = replace(
        known,
        expires=read.expires,
        key_kind=read.key_kind,
        key_bits=read.key_bits,
        self_signed=read.self_signed,
        signature=read.signature,
    )
    return described, read.hosts
