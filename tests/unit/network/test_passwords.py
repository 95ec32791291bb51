"""Passwords answered as the specifications' own examples, and never with endless work."""

from __future__ import annotations

import base64
import hashlib

import pytest

from serment.adapters.network.passwords import (
    MOST_ROUNDS,
    Scram,
    caching_answer,
    md5_answer,
    native_answer,
)

SALT = bytes(range(20))


def test_md5_as_postgresql_checks_it() -> None:
    kept = hashlib.md5(b"pacspacs").hexdigest()  # what it keeps of the password
    assert (
        md5_answer("pacs", "pacs", b"salt")
        == b"md5" + hashlib.md5(kept.encode() + b"salt").hexdigest().encode()
    )


@pytest.mark.parametrize(
    ("answer", "name", "salt_first"), [(native_answer, "sha1", True), (caching_answer, "sha256", False)]
)  # fmt: skip
def test_a_mysql_server_finds_what_it_keeps(answer, name: str, salt_first: bool) -> None:  # type: ignore[no-untyped-def]
    """It keeps the hash of the hash: with the salt it opens the answer, and hashes what is inside."""
    kept = hashlib.new(name, hashlib.new(name, b"orthanc").digest()).digest()
    mask = hashlib.new(name, SALT + kept if salt_first else kept + SALT).digest()
    inside = bytes(a ^ b for a, b in zip(answer("orthanc", SALT), mask, strict=True))
    assert hashlib.new(name, inside).digest() == kept


def test_scram_as_in_rfc_7677() -> None:
    scram = Scram("pencil", "user", "rOprNGfwEbeRWgbNEkqO")
    first = (
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    )
    assert scram.final(first).endswith(b",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")


@pytest.mark.parametrize(
    "first",
    [
        b"", b"x", b"r=,s=,i=1", b"\xff", b"r={nonce}x,s=!!,i=1", b"r={nonce},s=YQ==,i=0",
        b"r={nonce},s=YQ==,i=%d" % (MOST_ROUNDS + 1), b"r={nonce},s=YQ==,i=4294967295",
        b"r=another,s=YQ==,i=1",
    ],
)  # fmt: skip
def test_a_server_that_asks_for_nonsense_or_endless_work_is_not_answered(first: bytes) -> None:
    scram = Scram("x")
    nonce = scram.first.split(b"r=")[1]
    with pytest.raises((ValueError, LookupError)):
        scram.final(first.replace(b"{nonce}", nonce))
    good = scram.final(b"r=" + nonce + b"x,s=YQ==,i=1")
    assert len(base64.b64decode(good.split(b"p=")[1])) == 32
