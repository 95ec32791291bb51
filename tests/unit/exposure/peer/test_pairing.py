"""A code of 80 bits lets two sides share keys; any other code, and any changed byte, is refused."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.exposure.peer.bonds import paired

from serment.core.crypto import signing
from serment.core.exposure.peer.frames import LENGTHS, Kind
from serment.core.exposure.peer.pairing import accept, code_key, conclude, new_code, propose
from serment.errors import AccessDenied, UsageError


def test_both_sides_hold_the_same_secret_and_each_others_key() -> None:
    practice, helper = paired()
    assert (practice.id, practice.secret) == (helper.id, helper.secret)
    assert practice.other == signing.verify_key(helper.own)
    assert helper.other == signing.verify_key(practice.own)
    assert practice.own != helper.own


def test_every_pairing_is_another() -> None:
    bonds = [paired()[0] for _ in range(3)]
    assert len({each.id for each in bonds}) == 3
    assert len({each.secret for each in bonds}) == 3


def test_a_code_is_sixteen_digits_that_nobody_confuses() -> None:
    codes = {new_code() for _ in range(50)}
    assert len(codes) == 50
    assert all(re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}", c) for c in codes)
    assert len({digit for code in codes for digit in code}) == 33  # all of them, and the dash


@pytest.mark.parametrize(
    "typed",
    ["0101-ABCD-EFGH-JKMN", "0101abcdefghjkmn", " olOI abcd efgh jkmn ", "0l0i-abcd-efgh-jkmn"],
)
def test_a_code_may_be_typed_as_it_is_heard(typed: str) -> None:
    assert code_key(typed) == code_key("0101-ABCD-EFGH-JKMN")


@pytest.mark.parametrize(
    "typed", ["", "0101-ABCD-EFGH-JKM", "0101-ABCD-EFGH-JKMNP", "u" * 16, "é" * 16]
)
def test_what_is_no_code_is_told(typed: str) -> None:
    with pytest.raises(UsageError):
        propose(typed)


def test_another_code_opens_nothing() -> None:
    _, message = propose(new_code())
    with pytest.raises(AccessDenied):
        accept(message, code_key(new_code()))


def test_an_answer_fits_one_proposal() -> None:
    """Somebody who saw another practice's pairing with the same code cannot answer for it."""
    code = new_code()
    mine, _ = propose(code)
    _, theirs = propose(code)
    _, answer = accept(theirs, code_key(code))
    with pytest.raises(AccessDenied):
        conclude(mine, answer)


@given(st.data())
def test_no_byte_may_be_changed(data: st.DataObject) -> None:
    code = new_code()
    wooing, message = propose(code)
    _, answer = accept(message, code_key(code))
    for said, read in (
        (message, lambda changed: accept(changed, code_key(code))),
        (answer, lambda changed: conclude(wooing, changed)),
    ):
        place = data.draw(st.integers(0, len(said) - 1))
        changed = bytearray(said)
        changed[place] ^= data.draw(st.integers(1, 255))
        with pytest.raises(AccessDenied):
            read(bytes(changed))


def test_messages_have_the_lengths_that_are_waited_for() -> None:
    code = new_code()
    _, message = propose(code)
    _, answer = accept(message, code_key(code))
    assert LENGTHS[Kind.PAIR] == (len(message), len(message))
    assert LENGTHS[Kind.PAIRED] == (len(answer), len(answer))
