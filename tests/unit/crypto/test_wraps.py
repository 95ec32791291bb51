"""What is sealed opens for its key and its context, and for nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from serment.core.crypto import keys, wraps
from serment.core.crypto.context import Context
from serment.errors import FormatError, IntegrityError

HERE = Context("vault", "circle-seed", "circle:care", "member:1", 3)
ELSEWHERE = [
    replace(HERE, vault="other"),
    replace(HERE, kind="member-seed"),
    replace(HERE, subject="circle:dpo"),
    replace(HERE, recipient="member:2"),
    replace(HERE, epoch=4),
]
SEED, OTHER = keys.new_seed(), keys.new_seed()
KEY, OTHER_KEY = keys.new_key(), keys.new_key()
SECRET = keys.new_seed()


def test_sizes_are_the_documented_ones():
    assert len(wraps.wrap_to_public(SECRET, keys.public_key(SEED), HERE)) == 1168
    assert len(wraps.wrap_under_key(SECRET, KEY, HERE)) == 60
    assert len(wraps.seal_value(b"", KEY, HERE)) == 28


def test_a_wrap_opens_with_the_seed_of_the_public_key():
    blob = wraps.wrap_to_public(SECRET, keys.public_key(SEED), HERE)
    assert wraps.unwrap_with_seed(blob, SEED, HERE) == SECRET.reveal()
    assert blob != wraps.wrap_to_public(SECRET, keys.public_key(SEED), HERE)


def test_a_wrap_opens_under_its_key():
    blob = wraps.wrap_under_key(SECRET, KEY, HERE)
    assert wraps.unwrap_under_key(blob, KEY, HERE) == SECRET.reveal()
    assert blob != wraps.wrap_under_key(SECRET, KEY, HERE)


@pytest.mark.parametrize("context", ELSEWHERE, ids=lambda context: repr(context))
def test_another_context_does_not_open(context):
    public = wraps.wrap_to_public(SECRET, keys.public_key(SEED), HERE)
    under = wraps.wrap_under_key(SECRET, KEY, HERE)
    value = wraps.seal_value(b"header", KEY, HERE)
    with pytest.raises(IntegrityError):
        wraps.unwrap_with_seed(public, SEED, context)
    with pytest.raises(IntegrityError):
        wraps.unwrap_under_key(under, KEY, context)
    with pytest.raises(IntegrityError):
        wraps.open_value(value, KEY, context)


def test_another_key_does_not_open():
    with pytest.raises(IntegrityError):
        wraps.unwrap_with_seed(
            wraps.wrap_to_public(SECRET, keys.public_key(SEED), HERE), OTHER, HERE
        )
    with pytest.raises(IntegrityError):
        wraps.unwrap_under_key(wraps.wrap_under_key(SECRET, KEY, HERE), OTHER_KEY, HERE)


def test_every_changed_byte_is_noticed():
    blob = wraps.wrap_under_key(SECRET, KEY, HERE)
    for i in range(len(blob)):
        with pytest.raises(IntegrityError):
            wraps.unwrap_under_key(blob[:i] + bytes([blob[i] ^ 1]) + blob[i + 1 :], KEY, HERE)
    blob = wraps.wrap_to_public(SECRET, keys.public_key(SEED), HERE)
    for i in [*range(0, len(blob), 37), 1087, 1088, 1119, 1120, 1167]:
        with pytest.raises(IntegrityError):
            wraps.unwrap_with_seed(blob[:i] + bytes([blob[i] ^ 1]) + blob[i + 1 :], SEED, HERE)


@pytest.mark.parametrize("size", [0, 1, 27, 28, 59, 61, 1167, 1169, 5000])
def test_another_size_is_not_authentic(size):
    with pytest.raises(IntegrityError):
        wraps.unwrap_with_seed(bytes(size), SEED, HERE)
    with pytest.raises(IntegrityError):
        wraps.unwrap_under_key(bytes(size), KEY, HERE)
    with pytest.raises(IntegrityError):
        wraps.open_value(bytes(size), KEY, HERE)


def test_the_error_names_ids_and_no_key():
    with pytest.raises(IntegrityError) as caught:
        wraps.unwrap_under_key(bytes(60), KEY, HERE)
    assert str(caught.value) == "circle-seed of circle:care for member:1 is not authentic"
    assert "serment doctor" in caught.value.advice


def test_a_public_key_that_is_none_is_refused():
    with pytest.raises(FormatError):
        wraps.wrap_to_public(SECRET, bytes(7), HERE)
