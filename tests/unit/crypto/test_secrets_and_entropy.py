"""Secrets are the right size, never print, and what is drawn is fresh."""

from __future__ import annotations

import json
import pickle

import pytest

from serment.core.crypto import entropy
from serment.core.crypto.keys import new_key, new_seed
from serment.core.crypto.secret import Key, Seed
from serment.errors import FormatError


@pytest.mark.parametrize("kind", [Seed, Key])
@pytest.mark.parametrize("size", [0, 16, 31, 33, 64])
def test_a_secret_has_exactly_32_bytes(kind, size):
    with pytest.raises(FormatError, match=f"{size} bytes instead of 32"):
        kind(bytes(size))


@pytest.mark.parametrize("secret", [Seed(b"\x5a" * 32), Key(b"\x5a" * 32)])
def test_a_secret_never_prints(secret):
    shown = [repr(secret), str(secret), f"{secret}", f"{secret!r:>60}", f"{[secret]}"]
    for text in shown:
        assert "Z" not in text and "5a" not in text and "\\x5a" not in text
        assert "•••" in text
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)


def test_a_secret_is_a_copy_of_what_it_was_made_of():
    buffer = bytearray(32)
    seed = Seed(bytes(buffer))
    buffer[0] = 1
    assert seed.reveal() == bytes(32)


def test_nothing_is_drawn_twice():
    ids = {entropy.new_id() for _ in range(200)}
    assert len(ids) == 200
    assert all(len(i) == 32 and int(i, 16) >= 0 and i == i.lower() for i in ids)
    assert (
        len({new_seed().reveal() for _ in range(50)} | {new_key().reveal() for _ in range(50)})
        == 100
    )
    assert len({entropy.random_bytes(12) for _ in range(200)}) == 200


def test_tokens_are_kept_as_a_hash_that_does_not_hold_them():
    token = entropy.new_token()
    assert len(token) == 43
    kept = entropy.token_hash(token)
    assert len(kept) == 32 and token.encode() not in kept
    assert entropy.same(kept, entropy.token_hash(token))
    assert not entropy.same(kept, entropy.token_hash(token[:-1]))
    assert not entropy.same(kept, entropy.token_hash(entropy.new_token()))
