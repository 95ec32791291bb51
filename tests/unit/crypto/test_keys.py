"""Keys are derived as documented, and no two uses share bytes."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from serment.core.crypto import keys, xwing
from serment.core.crypto.age import HybridIdentity, HybridRecipient
from serment.core.crypto.context import encode_fields
from serment.core.crypto.secret import Seed
from serment.errors import FormatError

SEED = Seed(bytes(range(32)))


def hkdf(secret: bytes, info: bytes) -> bytes:
    """RFC 5869 with one block of output, written again from the text."""
    extracted = hmac.digest(bytes(32), secret, "sha256")
    return hmac.digest(extracted, info + b"\x01", "sha256")


def test_derivations_are_hkdf_over_the_documented_fields():
    info = b"serment/v1" + b"\0\0\0\x06subkey" + b"\0\0\0\x0fclinical-header"
    assert keys.subkey(SEED, "clinical-header").reveal() == hkdf(SEED.reveal(), info)
    info = b"serment/v1" + b"\0\0\0\x06x-wing"
    assert keys.xwing_secret(SEED) == hkdf(SEED.reveal(), info)


def test_no_two_uses_share_bytes():
    derived = [keys.subkey(SEED, label).reveal() for label in ("a", "b", "x-wing", "")]
    derived += [keys.xwing_secret(SEED), SEED.reveal(), keys.derive(SEED.reveal(), "password")]
    assert len(set(derived)) == len(derived)


def test_the_public_key_is_xwing_of_its_own_derivation():
    public = keys.public_key(SEED)
    assert len(public) == xwing.PUBLIC_BYTES == 1216
    assert public == xwing.public_bytes(hkdf(SEED.reveal(), encode_fields("x-wing")))
    assert keys.public_key(SEED) == public != keys.public_key(keys.new_seed())


def test_a_substituted_public_key_is_noticed():
    public = keys.public_key(SEED)
    assert keys.is_pair(SEED, public)
    assert not keys.is_pair(SEED, keys.public_key(keys.new_seed()))
    assert not keys.is_pair(SEED, public[:-1])
    assert not keys.is_pair(SEED, b"")


def test_age_lines_lead_back_to_the_pair():
    public = keys.public_key(SEED)
    line = keys.age_identity(SEED)
    assert line.startswith("AGE-SECRET-KEY-PQ-1") and line == line.upper()
    assert HybridIdentity.from_string(line).recipient().public == public
    assert HybridRecipient.from_string(keys.age_recipient(public)).public == public
    assert str(HybridRecipient(public)) == keys.age_recipient(public)
    assert keys.age_recipient(public).startswith("age1pq1")


def test_fingerprint_words_are_80_bits_of_the_slip39_list():
    public = keys.public_key(SEED)
    words = keys.fingerprint_words(public)
    assert words == keys.fingerprint_words(public)
    assert len(words) == 8 and all(word.isalpha() and word == word.lower() for word in words)
    assert words != keys.fingerprint_words(keys.public_key(keys.new_seed()))
    expected = hashlib.sha256(encode_fields("fingerprint", public)).digest()[:16]
    assert keys.fingerprint(public) == expected
    # "academic" is word 0 and "zero" word 1023 of SLIP-39: the first ten bits choose the first.
    first = int.from_bytes(expected[:2], "big") >> 6
    from shamir_mnemonic.wordlist import WORDLIST

    assert (WORDLIST[0], WORDLIST[1023], words[0]) == ("academic", "zero", WORDLIST[first])


@pytest.mark.parametrize("size", [0, 32, 1184, 1215, 1217])
def test_a_public_key_of_another_size_is_refused(size):
    with pytest.raises(FormatError, match=f"{size} bytes"):
        xwing.public_key(bytes(size))


def test_a_public_key_of_numbers_too_large_is_refused():
    with pytest.raises(FormatError):
        xwing.public_key(b"\xff" * 1216)  # FIPS 203 section 7.2, modulus check


def test_nothing_is_sealed_to_a_low_order_point():
    public = keys.public_key(SEED)[:1184] + bytes(32)
    with pytest.raises(FormatError, match="low order"):
        xwing.seal(b"x", xwing.public_key(public), b"")
