"""The TLS side of a service: which versions it agrees to, its certificate, whom it lets in.

Every connection is bounded as all others are (`line`); the certificate is a stranger's, and read
in `core.crypto`. What is spoken inside TLS is `recognise`'s business.
"""

from __future__ import annotations

import contextlib
import os
import ssl
from dataclasses import dataclass
from typing import Final

from serment.adapters.network.hello import (
    ALERT,
    CERTIFICATE,
    DONE,
    HANDSHAKE,
    RECORD,
    RECORD_LIMIT,
    SERVER_HELLO,
    VERSIONS,
    chosen_version,
    client_hello,
    first_certificate,
    messages,
)
from serment.adapters.network.line import Cut, Ended, Gone, Line
from serment.adapters.network.probing import Call, Heard
from serment.core.crypto.strangers import read_certificate
from serment.core.exposure.seen import Answer, Tls
from serment.errors import FormatError

_FLIGHT_LIMIT: Final = 64 * 1024  # bytes of handshake in clear
_PATIENCE: Final = 1.0
_FLIGHT_SECONDS: Final = 2.0
_CERTIFICATE_WANTED: Final = ("CERTIFICATE_REQUIRED", "HANDSHAKE_FAILURE", "BAD_CERTIFICATE")


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


def facts(call: Call, inner_refusal: str, inner_understood: bool) -> Tls:
    """What can be said of it.

    Args:
        inner_refusal: why TLS ended at once when something was to be said inside; "" if it did not.
        inner_understood: whether something inside TLS answered.
    """
    versions, certificate, stalled = [], b"", 0
    for version in VERSIONS:
        flight = _ask(call, version)
        stalled += flight.stalled
        if stalled > 1:
            break
        if flight.version == version:
            versions.append(version)
        certificate = certificate or flight.certificate
    if not stalled:
        certificate = certificate or _within(call)
    wanted = any(word in inner_refusal for word in _CERTIFICATE_WANTED)
    insists = Answer.YES if wanted and not inner_understood else Answer.NOTHING
    known = Tls(
        tuple(versions),
        Answer.REFUSED if inner_understood else insists,
        understood=bool(versions),
    )
    return _described(known, certificate)


@dataclass(slots=True)
class _Flight:
    """What a server answers in clear to one ClientHello."""

    version: str = ""
    certificate: bytes = b""
    stalled: bool = False


def _ask(call: Call, version: str) -> _Flight:
    flight = _Flight()
    call.budget.patience = _PATIENCE
    try:
        with call.budget.within(_FLIGHT_SECONDS), call.line() as line:
            line.send(client_hello(version, os.urandom(64)))
            _read_flight(line, flight)
    except Gone:
        pass  # it refuses that version
    except Ended:
        flight.stalled = not flight.version
    return flight


def _read_flight(line: Line, flight: _Flight) -> None:
    handshake = bytearray()
    while len(handshake) < _FLIGHT_LIMIT:
        kind, _, length = RECORD.unpack(line.exactly(RECORD.size))
        if kind != HANDSHAKE or length > RECORD_LIMIT:
            return
        handshake += line.exactly(length)
        for what, body in messages(bytes(handshake)):
            if what == SERVER_HELLO:
                flight.version = chosen_version(body)
                if flight.version == "TLSv1.3":
                    return
            elif what == CERTIFICATE:
                flight.certificate = first_certificate(body)
            elif what == DONE:
                return
    raise Cut


def _within(call: Call) -> bytes:
    """The certificate of a server that sends it encrypted only (TLS 1.3)."""
    with contextlib.suppress(Ended), call.line() as line:
        line.start_tls()
        assert isinstance(line.socket, ssl.SSLSocket)
        return line.socket.getpeercert(binary_form=True) or b""
    return b""


def _described(known: Tls, certificate: bytes) -> Tls:
    try:
        read = read_certificate(certificate)
    except FormatError:
        return known
    return Tls(
        known.versions,
        known.client_certificate,
        read.expires,
        read.key_kind,
        read.key_bits,
        read.self_signed,
        read.signature,
        known.understood,
    )
