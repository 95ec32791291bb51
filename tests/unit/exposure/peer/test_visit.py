"""A visit's words are signed, fit one challenge from one address in one half minute, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.exposure.peer.bonds import paired

from serment.core.exposure.peer import visit
from serment.core.exposure.peer.frames import LENGTHS, Kind, build, parse_head
from serment.core.exposure.peer.rules import MOST_PORTS
from serment.core.exposure.peer.visit import (
    WINDOW,
    Challenge,
    Order,
    Outcome,
    Purpose,
    Reached,
    Status,
    Tried,
)
from serment.errors import AccessDenied, FormatError

NOW = datetime(2026, 11, 22, 9, 0, 0, 500_000, tzinfo=UTC)
SOURCE = "203.0.113.7"
PRACTICE, HELPER = paired()
LOOK = Order(Purpose.LOOK, (104, 11112))


def begun(source: str = SOURCE) -> Challenge:
    """The challenge of one visit, as the practice reads it."""
    made, said = visit.challenge(HELPER, source, NOW)
    assert visit.parse_challenge(PRACTICE, said) == made
    return made


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        (SOURCE, SOURCE),
        ("::ffff:203.0.113.7", SOURCE),
        ("2001:DB8::7", "2001:db8::7"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_the_practice_reads_the_address_that_the_helper_saw(source: str, seen: str) -> None:
    assert begun(source).address == seen


def test_an_order_and_its_answer() -> None:
    to = begun()
    asked = visit.ask(PRACTICE, to, LOOK)
    assert visit.parse_ask(HELPER, to, asked, NOW) == LOOK
    outcome = Outcome(
        Status.DONE,
        tried=(Tried(104, Reached.OPEN, "dicom"), Tried(11112, Reached.SILENT)),
    )
    answered = visit.answer(HELPER, to, outcome)
    assert visit.parse_answer(PRACTICE, to, LOOK, answered) == outcome
    assert b"dicom" not in answered


@pytest.mark.parametrize("seconds", [-1.0, WINDOW.total_seconds() + 1])
def test_an_order_is_good_for_half_a_minute(seconds: float) -> None:
    to = begun()
    asked = visit.ask(PRACTICE, to, LOOK)
    with pytest.raises(AccessDenied):
        visit.parse_ask(HELPER, to, asked, NOW + timedelta(seconds=seconds))
    visit.parse_ask(HELPER, to, asked, NOW + WINDOW - timedelta(seconds=1))


def test_an_order_fits_no_other_visit() -> None:
    asked = visit.ask(PRACTICE, begun(), LOOK)
    with pytest.raises(AccessDenied):
        visit.parse_ask(HELPER, begun(), asked, NOW)


@pytest.mark.parametrize(
    "change",
    [{"address": "203.0.113.8"}, {"issued": 1}, {"nonce": bytes(32)}],
    ids=lambda change: next(iter(change)),
)
def test_an_order_is_bound_to_the_whole_challenge(change: dict[str, object]) -> None:
    to = begun()
    asked = visit.ask(PRACTICE, replace(to, **change), LOOK)  # type: ignore[arg-type]
    with pytest.raises(AccessDenied):
        visit.parse_ask(HELPER, to, asked, NOW)


def test_others_cannot_speak_for_either_side() -> None:
    strangers, strange_helper = paired()
    to = begun()
    with pytest.raises(AccessDenied):
        visit.parse_ask(HELPER, to, visit.ask(strangers, to, LOOK), NOW)
    with pytest.raises(AccessDenied):
        visit.parse_challenge(PRACTICE, visit.challenge(strange_helper, SOURCE, NOW)[1])
    with pytest.raises(AccessDenied):
        visit.parse_answer(
            PRACTICE, to, LOOK, visit.answer(strange_helper, to, Outcome(Status.DONE))
        )
    knows_the_secret = replace(HELPER, own=strange_helper.own)
    with pytest.raises(AccessDenied):
        visit.parse_answer(
            PRACTICE, to, LOOK, visit.answer(knows_the_secret, to, Outcome(Status.DONE))
        )


@pytest.mark.parametrize(
    "ports",
    [(), tuple(range(1, MOST_PORTS + 2)), (104, 104), (0,)],
    ids=["none", "61", "twice", "zero"],
)
def test_an_order_for_what_nobody_may_ask_is_refused(ports: tuple[int, ...]) -> None:
    to = begun()
    asked = visit.ask(PRACTICE, to, Order(Purpose.LOOK, ports))
    with pytest.raises(FormatError):
        visit.parse_ask(HELPER, to, asked, NOW)


def test_sixty_ports_are_allowed_and_a_proof_is_of_one() -> None:
    to = begun()
    order = Order(Purpose.LOOK, tuple(range(1, MOST_PORTS + 1)))
    asked = visit.ask(PRACTICE, to, order)
    assert visit.parse_ask(HELPER, to, asked, NOW) == order
    assert len(asked) <= LENGTHS[Kind.ASK][1]
    outcome = Outcome(Status.DONE, tried=tuple(Tried(p, Reached.OPEN, "http") for p in order.ports))
    assert len(visit.answer(HELPER, to, outcome)) <= LENGTHS[Kind.ANSWER][1]
    with pytest.raises(FormatError):
        visit.parse_ask(HELPER, to, visit.ask(PRACTICE, to, Order(Purpose.PROVE, (1, 2))), NOW)


def test_an_answer_tells_of_nothing_that_was_not_asked() -> None:
    to = begun()
    outcome = Outcome(Status.DONE, tried=(Tried(22, Reached.OPEN),))
    with pytest.raises(FormatError):
        visit.parse_answer(PRACTICE, to, LOOK, visit.answer(HELPER, to, outcome))


def test_a_token_is_for_its_helper_its_place_and_its_moment() -> None:
    to = begun()
    nonce, asked = visit.prove(HELPER, to, 7312)
    given_back = visit.token(PRACTICE, to, 7312, asked)
    assert visit.is_token(HELPER, to, 7312, nonce, given_back)
    other, _ = visit.prove(HELPER, to, 7312)
    assert not visit.is_token(HELPER, to, 7312, other, given_back)
    assert not visit.is_token(HELPER, to, 7313, nonce, given_back)
    assert not visit.is_token(HELPER, begun(), 7312, nonce, given_back)
    assert not visit.is_token(HELPER, replace(to, address="203.0.113.8"), 7312, nonce, given_back)
    _, strange_helper = paired()
    for said in (visit.prove(strange_helper, to, 7312)[1], visit.prove(HELPER, to, 7313)[1]):
        with pytest.raises(AccessDenied):
            visit.token(PRACTICE, to, 7312, said)


def test_lengths_are_those_that_are_waited_for() -> None:
    to, said = visit.challenge(HELPER, SOURCE, NOW)
    _, asked = visit.prove(HELPER, to, 1)
    token = visit.token(PRACTICE, to, 1, asked)
    lengths = {
        Kind.HELLO: PRACTICE.id,
        Kind.CHALLENGE: said,
        Kind.ASK: visit.ask(PRACTICE, to, Order(Purpose.PROVE, (1,))),
        Kind.ANSWER: visit.answer(HELPER, to, Outcome(Status.SHARED)),
        Kind.PROVE: asked,
        Kind.TOKEN: token,
    }
    for kind, message in lengths.items():
        assert parse_head(build(kind, message)[:7], kind) == (kind, len(message))


@given(st.binary(max_size=400))
def test_no_bytes_break_it(data: bytes) -> None:
    to = begun()
    for read in (
        lambda: visit.parse_challenge(PRACTICE, data),
        lambda: visit.parse_ask(HELPER, to, data, NOW),
        lambda: visit.parse_answer(PRACTICE, to, LOOK, data),
        lambda: visit.token(PRACTICE, to, 1, data),
    ):
        with pytest.raises((AccessDenied, FormatError)):
            read()
    assert not visit.is_token(HELPER, to, 1, bytes(32), data)


@given(st.binary(max_size=300))
def test_no_plain_text_under_the_right_keys_breaks_it(plain: bytes) -> None:
    """A practice that is paired may still send nonsense."""
    from serment.core.crypto import keys, signing, wraps

    to = begun()
    for name, bond, read in (
        ("ask", PRACTICE, lambda said: visit.parse_ask(HELPER, to, said, NOW)),
        ("answer", HELPER, lambda said: visit.parse_answer(PRACTICE, to, LOOK, said)),
    ):
        key = keys.subkey(bond.secret, f"peer {name}")
        sealed = wraps.seal_value(plain, key, visit._context(name, to))
        said = sealed + signing.sign(bond.own, visit._signed(name, bond, to, sealed))
        try:
            read(said)
        except FormatError:
            continue
