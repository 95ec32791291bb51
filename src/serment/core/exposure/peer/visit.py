"""What a practice and its helper say to each other in one visit, each word signed and used once.

The helper begins: a fresh nonce, the source address it sees, the time, signed. The practice answers
with what it wants, sealed and signed over that nonce, address and time; so an order fits one
connection, from one address, within `WINDOW`, and a recorded one fits none. The answer is sealed
and signed over the same. For a proof of control the helper calls the address back, says that it is
the helper (sealed under the shared secret), and takes only a signature over a nonce of that moment.
Who may ask when, and what is tried, is `rules`; whose address it is, the connection tells.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from ipaddress import IPv6Address, ip_address
from typing import Final

from serment.core.crypto import entropy, keys, signing, wraps
from serment.core.crypto.context import Context, encode_fields
from serment.core.crypto.secret import Key
from serment.core.exposure.peer.frames import nonsense
from serment.core.exposure.peer.pairing import Bond
from serment.core.exposure.peer.rules import MOST_PORTS, canonical
from serment.errors import N_, AccessDenied, IntegrityError

WINDOW: Final = timedelta(seconds=30)
NONCE_BYTES: Final = 32
_CHALLENGE: Final = struct.Struct(">32sQ16s")
_SIGNATURE: Final = signing.SIGNATURE_BYTES
_STATUS: Final = struct.Struct(">BI")
_PORT: Final = struct.Struct(">HBB")
_MAPPED: Final = b"\0" * 10 + b"\xff\xff"  # RFC 4291 2.5.5.2

# What a helper may say it heard; a place in this list travels, never a text.
PROTOCOLS: Final = (
    *("", "dicom", "http", "tls", "ssh", "ftp", "telnet", "vnc", "mysql", "rdp", "redis"),
    *("mail", "printer", "unknown", "silent", "serment"),
)


class Purpose(IntEnum):
    """What a visit is for."""

    LOOK = 1
    PROVE = 2


class Status(IntEnum):
    """What became of it."""

    DONE = 0
    SHARED = 1  # the source address is not this practice's alone: nothing was tried
    TOO_SOON = 2  # the hour is not over


class Reached(IntEnum):
    """What a port did when it was tried."""

    OPEN = 0
    CLOSED = 1
    SILENT = 2


@dataclass(frozen=True, slots=True)
class Challenge:
    """What binds one visit: nonce (32 bytes), seconds since 1970, the address as the helper sees it."""

    nonce: bytes
    issued: int
    address: str


@dataclass(frozen=True, slots=True)
class Order:
    """What the practice wants."""

    purpose: Purpose
    ports: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Tried:
    """One port, and what was heard there: one of `PROTOCOLS`."""

    port: int
    reached: Reached
    protocol: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The helper's answer. `wait`: seconds until the next visit, when it is too soon."""

    status: Status
    wait: int = 0
    tried: tuple[Tried, ...] = ()


def challenge(bond: Bond, source: str, now: datetime) -> tuple[Challenge, bytes]:
    """A fresh challenge for a caller from this address, and its message."""
    made = Challenge(entropy.random_bytes(NONCE_BYTES), int(now.timestamp()), canonical(source))
    said = _CHALLENGE.pack(made.nonce, made.issued, _packed(made.address))
    return made, said + signing.sign(bond.own, _signed("challenge", bond, made))


def parse_challenge(bond: Bond, untrusted: bytes) -> Challenge:
    """The challenge of the helper of this pairing.

    Raises:
        FormatError: it is none.
        AccessDenied: another one signed it.
    """
    if len(untrusted) != _CHALLENGE.size + _SIGNATURE:
        raise nonsense()
    nonce, issued, packed = _CHALLENGE.unpack(untrusted[: _CHALLENGE.size])
    found = Challenge(nonce, issued, canonical(str(IPv6Address(packed))))
    _verify(bond, _signed("challenge", bond, found), untrusted[_CHALLENGE.size :])
    return found


def ask(bond: Bond, to: Challenge, order: Order) -> bytes:
    """The practice's order in answer to a challenge."""
    plain = bytes([order.purpose]) + b"".join(each.to_bytes(2, "big") for each in order.ports)
    sealed = wraps.seal_value(plain, keys.subkey(bond.secret, "peer ask"), _context("ask", to))
    return sealed + signing.sign(bond.own, _signed("ask", bond, to, sealed))


def parse_ask(bond: Bond, to: Challenge, untrusted: bytes, now: datetime) -> Order:
    """The order that answers this challenge, in time.

    Raises:
        AccessDenied: another one signed it, it answers another challenge, or it is late.
        FormatError: it wants what nobody may ask for.
    """
    sealed, signature = untrusted[:-_SIGNATURE], untrusted[-_SIGNATURE:]
    _verify(bond, _signed("ask", bond, to, sealed), signature)
    if not 0 <= now.timestamp() - to.issued <= WINDOW.total_seconds():
        raise refused()
    plain = _opened(sealed, keys.subkey(bond.secret, "peer ask"), "ask", to)
    ports = tuple(struct.unpack_from(f">{len(plain) // 2}H", plain, 1)) if len(plain) % 2 else ()
    if not 0 < len(ports) <= MOST_PORTS or len(set(ports)) != len(ports) or 0 in ports:
        raise nonsense()
    if plain[0] not in tuple(Purpose) or (plain[0] == Purpose.PROVE and len(ports) != 1):
        raise nonsense()
    return Order(Purpose(plain[0]), ports)


def answer(bond: Bond, to: Challenge, outcome: Outcome) -> bytes:
    """The helper's answer."""
    plain = _STATUS.pack(outcome.status, outcome.wait)
    for each in outcome.tried:
        plain += _PORT.pack(each.port, each.reached, PROTOCOLS.index(each.protocol))
    sealed = wraps.seal_value(
        plain, keys.subkey(bond.secret, "peer answer"), _context("answer", to)
    )
    return sealed + signing.sign(bond.own, _signed("answer", bond, to, sealed))


def parse_answer(bond: Bond, to: Challenge, order: Order, untrusted: bytes) -> Outcome:
    """The answer to this order, about its ports alone.

    Raises:
        AccessDenied: another one signed it, or it answers something else.
        FormatError: it says what no answer says.
    """
    sealed, signature = untrusted[:-_SIGNATURE], untrusted[-_SIGNATURE:]
    _verify(bond, _signed("answer", bond, to, sealed), signature)
    plain = _opened(sealed, keys.subkey(bond.secret, "peer answer"), "answer", to)
    if len(plain) < _STATUS.size or (len(plain) - _STATUS.size) % _PORT.size:
        raise nonsense()
    status, wait = _STATUS.unpack_from(plain)
    rows = list(_PORT.iter_unpack(plain[_STATUS.size :]))
    if status not in tuple(Status) or not {row[0] for row in rows} <= set(order.ports):
        raise nonsense()
    return Outcome(Status(status), wait, tuple(map(_tried, rows)))


def prove(bond: Bond, to: Challenge, port: int) -> tuple[bytes, bytes]:
    """A fresh nonce, and what the helper says with it to the listener on the address and port."""
    nonce = entropy.random_bytes(NONCE_BYTES)
    key = keys.subkey(bond.secret, "peer prove")
    return nonce, nonce + wraps.seal_value(b"", key, _place(nonce, to, port))


def token(bond: Bond, to: Challenge, port: int, untrusted: bytes) -> bytes:
    """The listener's answer to its helper, and to nobody else.

    Raises:
        AccessDenied: it is not the helper of this visit, or means another address or port.
    """
    nonce, sealed = untrusted[:NONCE_BYTES], untrusted[NONCE_BYTES:]
    try:
        key = keys.subkey(bond.secret, "peer prove")
        wraps.open_value(sealed, key, _place(nonce, to, port))
    except IntegrityError as error:
        raise refused() from error
    return signing.sign(bond.own, _token(bond, to, port, nonce))


def is_token(bond: Bond, to: Challenge, port: int, nonce: bytes, untrusted: bytes) -> bool:
    """Whether the practice itself listens on the address and port, now."""
    return signing.verify(bond.other, _token(bond, to, port, nonce), untrusted)


def refused() -> AccessDenied:
    """What an order or an answer that is not authentic, or not fresh, is answered with."""
    return AccessDenied(
        N_("the helper outside and this practice do not recognise each other"),
        hint=N_(
            "pair them again: `serment scan peer serve --pair NAME` there, `serment scan peer pair` here"
        ),
    )


def _tried(row: Sequence[int]) -> Tried:
    port, reached, protocol = row
    if reached not in tuple(Reached) or protocol >= len(PROTOCOLS):
        raise nonsense()
    return Tried(port, Reached(reached), PROTOCOLS[protocol])


def _opened(sealed: bytes, key: Key, what: str, to: Challenge) -> bytes:
    try:
        return wraps.open_value(sealed, key, _context(what, to))
    except IntegrityError as error:
        raise refused() from error


def _context(what: str, to: Challenge) -> Context:
    return Context("", f"peer-{what}", to.nonce.hex(), to.address, to.issued)


def _place(nonce: bytes, to: Challenge, port: int) -> Context:
    return Context(to.nonce.hex(), "peer-prove", nonce.hex(), to.address, port)


def _token(bond: Bond, to: Challenge, port: int, nonce: bytes) -> bytes:
    return _signed("token", bond, to, nonce + port.to_bytes(2, "big"))


def _signed(what: str, bond: Bond, to: Challenge, more: bytes = b"") -> bytes:
    issued = to.issued.to_bytes(8, "big")
    return encode_fields(f"peer {what}", bond.id, to.nonce, issued, to.address, more)


def _verify(bond: Bond, message: bytes, signature: bytes) -> None:
    if not signing.verify(bond.other, message, signature):
        raise refused()


def _packed(address: str) -> bytes:
    found = ip_address(address)
    return found.packed if found.version == 6 else _MAPPED + found.packed
