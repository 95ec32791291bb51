"""Seeds, the keys derived from them, and how people compare public keys.

Every use of a seed has its own derivation (HKDF-SHA256), so no two uses share bytes. Who holds
which seed is decided elsewhere.
"""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from serment.core.crypto import bech32, entropy, xwing
from serment.core.crypto.context import encode_fields
from serment.core.crypto.secret import SECRET_BYTES, Key, Seed

AGE_IDENTITY_HRP = "age-secret-key-pq-"
AGE_RECIPIENT_HRP = "age1pq"
FINGERPRINT_BYTES = 16
FINGERPRINT_WORDS = 8
_WORD_BITS = 10  # the SLIP-39 list has 1024 words


def new_seed() -> Seed:
    """Draw a seed."""
    return Seed(entropy.random_bytes(SECRET_BYTES))


def new_key() -> Key:
    """Draw an AES-256 key."""
    return Key(entropy.random_bytes(SECRET_BYTES))


def derive(secret: bytes, *purpose: str) -> bytes:
    """Return 32 bytes for one purpose: HKDF-SHA256 without salt, `info` the encoded fields.

    Source: RFC 5869.
    """
    return HKDF(SHA256(), SECRET_BYTES, None, encode_fields(*purpose)).derive(secret)


def subkey(secret: Seed | Key, label: str) -> Key:
    """Return the AES-256 key of a seed or key for the use that `label` names."""
    return Key(derive(secret.reveal(), "subkey", label))


def xwing_secret(seed: Seed) -> bytes:
    """Return the 32 bytes of the seed's X-Wing pair; they leave only in an age identity."""
    return derive(seed.reveal(), "x-wing")


def public_key(seed: Seed) -> bytes:
    """Return the seed's X-Wing public key, 1216 bytes."""
    return xwing.public_bytes(xwing_secret(seed))


def is_pair(seed: Seed, public: bytes) -> bool:
    """Whether an opened seed gives the public key that is stored (no key was substituted)."""
    return entropy.same(public_key(seed), public)


def age_identity(seed: Seed) -> str:
    """Return the seed's key pair as an age identity line: it opens files, derives nothing else."""
    return bech32.encode(AGE_IDENTITY_HRP, xwing_secret(seed)).upper()


def age_recipient(public: bytes) -> str:
    """Return a public key (1216 bytes) as an age recipient line."""
    return bech32.encode(AGE_RECIPIENT_HRP, public)


def fingerprint(public: bytes) -> bytes:
    """Return 16 bytes that stand for a public key."""
    return hashlib.sha256(encode_fields("fingerprint", public)).digest()[:FINGERPRINT_BYTES]


def fingerprint_words(public: bytes) -> tuple[str, ...]:
    """Return the first 80 bits of the fingerprint as 8 words that two people can compare."""
    from shamir_mnemonic.wordlist import WORDLIST  # here: it costs 25 ms at import

    bits = FINGERPRINT_WORDS * _WORD_BITS
    number = int.from_bytes(fingerprint(public)[: bits // 8], "big")
    shifts = range(bits - _WORD_BITS, -1, -_WORD_BITS)
    return tuple(WORDLIST[number >> shift & (1 << _WORD_BITS) - 1] for shift in shifts)
