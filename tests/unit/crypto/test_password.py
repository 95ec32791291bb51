"""A seed behind a password: the right one opens it, and a hostile record costs nothing."""

from __future__ import annotations

import struct

import pytest

from serment.core.crypto import keys
from serment.core.crypto.context import Context
from serment.core.crypto.password import (
    BLOB_BYTES,
    STANDARD,
    Cost,
    open_with_password,
    seal_with_password,
)
from serment.core.masked import Masked
from serment.errors import AccessDenied, FormatError

HERE = Context("vault", "member-seed", "member:1", "password:1")
CHEAP = Cost(8 * 1024, 1, 1)
SEED = keys.new_seed()
PASSWORD = Masked("quatre mots choisis à la volée")


def seal(cost: Cost = CHEAP) -> bytes:
    return seal_with_password(SEED, PASSWORD, HERE, cost)


def test_the_password_opens_the_seed_at_the_standard_cost():
    assert Cost(65536, 3, 4) == STANDARD
    blob = seal_with_password(SEED, PASSWORD, HERE)
    assert len(blob) == BLOB_BYTES == 84
    assert struct.unpack(">BBHI", blob[:8]) == (1, 4, 3, 65536)
    assert open_with_password(blob, PASSWORD, HERE) == SEED


def test_an_accent_typed_either_way_is_the_same_password():
    decomposed = Masked("quatre mots choisis a\u0300 la vole\u0301e")
    assert decomposed != PASSWORD
    assert open_with_password(seal(), decomposed, HERE) == SEED


@pytest.mark.parametrize(
    "wrong", ["", "quatre mots choisis a la volee", "x" * 10_000, "\ud800"], ids=range(4)
)
def test_a_wrong_password_is_denied(wrong):
    with pytest.raises(AccessDenied, match="the password is wrong"):
        open_with_password(seal(), Masked(wrong), HERE)


def test_the_record_of_someone_else_is_denied():
    other = Context("vault", "member-seed", "member:2", "password:2")
    with pytest.raises(AccessDenied):
        open_with_password(seal(), PASSWORD, other)


def test_every_changed_byte_is_noticed():
    blob = seal()
    for i in range(len(blob)):
        changed = blob[:i] + bytes([blob[i] ^ 1]) + blob[i + 1 :]
        with pytest.raises((AccessDenied, FormatError)):
            open_with_password(changed, PASSWORD, HERE)


@pytest.mark.parametrize(
    "cost",
    [
        (0, 3, 65536),
        (17, 3, 65536),
        (4, 0, 65536),
        (4, 17, 65536),
        (4, 3, 8191),
        (4, 3, 262145),
        (4, 3, 2**32 - 1),
        (255, 65535, 2**32 - 1),
    ],
)
def test_a_hostile_record_cannot_ask_for_more(cost):
    blob = struct.pack(">BBHI", 1, *cost) + seal()[8:]
    with pytest.raises(FormatError, match="is refused"):
        open_with_password(blob, PASSWORD, HERE)


@pytest.mark.parametrize("blob", [b"", bytes(84), b"\x02" + bytes(83), b"\x01" * 83, b"\x01" * 85])
def test_what_is_no_record_is_refused(blob):
    with pytest.raises(FormatError, match="not of a known version"):
        open_with_password(blob, PASSWORD, HERE)
