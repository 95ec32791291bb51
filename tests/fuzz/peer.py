"""Fuzz target: whatever a stranger or a paired practice sends to a helper, without a socket.

Seeds are a whole visit and a pairing, of which a helper with fixed keys is asked again with the same
challenge, so that a recorded order is authentic and what follows its signature is reached too.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime

from serment.core.crypto import keys, signing, wraps
from serment.core.crypto.secret import Key, Seed
from serment.core.exposure.peer import pairing, visit
from serment.core.exposure.peer.frames import HEAD, LENGTHS, Kind, build, parse_head
from serment.core.exposure.peer.pairing import Bond
from serment.core.exposure.peer.rules import MOST_PORTS
from serment.core.exposure.peer.visit import Challenge, Order, Purpose
from serment.errors import AccessDenied, FormatError

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
TO = Challenge(bytes(range(32)), int(NOW.timestamp()), "203.0.113.7")
SEEDS = {name: Seed(bytes([number]) * 32) for number, name in enumerate(("practice", "helper"), 1)}
PUBLIC = {name: signing.verify_key(seed) for name, seed in SEEDS.items()}
SECRET = Key(b"\7" * 32)
PRACTICE = Bond(b"\1" * 16, SECRET, SEEDS["practice"], PUBLIC["helper"])
HELPER = Bond(b"\1" * 16, SECRET, SEEDS["helper"], PUBLIC["practice"])
CODE = "0000-0000-0000-0000"
ORDER = Order(Purpose.LOOK, (104, 11112, 8042))
OPENED = b"plain"  # an input that begins so is what a paired practice sealed
PROPOSED = b"keys:"  # and so, what somebody who has the code did
PROPOSAL = 1216 + 32  # bytes of that


def seeds() -> Iterator[bytes]:
    """Each message of a caller, and the plain text of orders."""
    yield build(Kind.HELLO, HELPER.id)
    yield build(Kind.ASK, visit.ask(PRACTICE, TO, ORDER))
    yield build(Kind.PAIR, pairing.propose(CODE)[1])
    _, asked = visit.prove(HELPER, TO, 7312)
    yield build(Kind.PROVE, asked)
    yield build(Kind.TOKEN, visit.token(PRACTICE, TO, 7312, asked))
    yield PROPOSED + keys.public_key(Seed(b"\3" * 32)) + PUBLIC["practice"]
    for order in (ORDER, Order(Purpose.PROVE, (7312,)), Order(Purpose.LOOK, tuple(range(1, 61)))):
        yield OPENED + bytes([order.purpose]) + b"".join(p.to_bytes(2, "big") for p in order.ports)


def fuzz_one(sent: bytes) -> None:
    """Our own errors only; nothing longer than its kind; no order beyond the rules."""
    if sent.startswith(OPENED):
        _order(_sealed(sent.removeprefix(OPENED)))
        return
    if sent.startswith(PROPOSED):
        plain = sent.removeprefix(PROPOSED)[:PROPOSAL].ljust(PROPOSAL, b"\0")
        _read(Kind.PAIR, wraps.seal_value(plain, pairing.code_key(CODE), pairing._proposal()))
        return
    with contextlib.suppress(FormatError):
        kind, length = parse_head(sent[: HEAD.size], *Kind)
        least, most = LENGTHS[kind]
        assert least <= length <= most <= 4096
        assert sent[:4] == b"SRM1"
        _read(kind, sent[HEAD.size :][:length])


def _read(kind: Kind, message: bytes) -> None:
    if kind is Kind.PAIR:
        with contextlib.suppress(AccessDenied):  # whatever is wrong is a wrong code
            bond, _ = pairing.accept(message, pairing.code_key(CODE))
            assert len(bond.other) == 32
        return
    with contextlib.suppress(AccessDenied, FormatError):
        if kind is Kind.PROVE:
            assert len(visit.token(PRACTICE, TO, 7312, message)) == signing.SIGNATURE_BYTES
        elif kind is Kind.CHALLENGE:
            visit.parse_challenge(PRACTICE, message)
        elif kind is Kind.ANSWER:
            visit.parse_answer(PRACTICE, TO, ORDER, message)
        elif kind is Kind.ASK:
            _order(message)


def _order(message: bytes) -> None:
    with contextlib.suppress(AccessDenied, FormatError):
        order = visit.parse_ask(HELPER, TO, message, NOW)
        assert 0 < len(order.ports) <= MOST_PORTS
        assert len(set(order.ports)) == len(order.ports)
        assert all(0 < port < 65536 for port in order.ports)
        assert order.purpose in tuple(Purpose)
        assert order.purpose is Purpose.LOOK or len(order.ports) == 1
        assert signing.verify(
            PUBLIC["practice"], visit._signed("ask", HELPER, TO, message[:-64]), message[-64:]
        )


def _sealed(plain: bytes) -> bytes:
    """What the practice of this pairing makes of any plain text."""
    key = keys.subkey(SECRET, "peer ask")
    sealed = wraps.seal_value(plain[:400], key, visit._context("ask", TO))
    return sealed + signing.sign(SEEDS["practice"], visit._signed("ask", PRACTICE, TO, sealed))
