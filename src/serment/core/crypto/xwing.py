"""X-Wing (ML-KEM-768 with X25519) from raw bytes: the only public-key encryption of Serment.

Where the 32 secret bytes come from is decided in `keys`; what is sealed to the public key in
`wraps` and `age.hybrid`.

Source: draft-connolly-cfrg-xwing-kem section 5; draft-ietf-hpke-pq (MLKEM768-X25519).
"""

from __future__ import annotations

import hashlib

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from serment.errors import N_, FormatError

PUBLIC_BYTES = 1216
ENC_BYTES = 1120
TAG_BYTES = 16
_MLKEM_PUBLIC_BYTES = 1184

# HPKE base mode (RFC 9180), the suite that age's mlkem768x25519 recipient uses as well.
SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


def _halves(secret: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    expanded = hashlib.shake_256(secret).digest(96)
    return (
        MLKEM768PrivateKey.from_seed_bytes(expanded[:64]),
        X25519PrivateKey.from_private_bytes(expanded[64:]),
    )


def private_key(secret: bytes) -> MLKEM768X25519PrivateKey:
    """Return the decapsulation key of 32 secret bytes."""
    return MLKEM768X25519PrivateKey(*_halves(secret))


def public_bytes(secret: bytes) -> bytes:
    """Return the public key of 32 secret bytes: 1216 bytes, ML-KEM part first."""
    mlkem, x25519 = _halves(secret)
    return mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()


def public_key(raw: bytes) -> MLKEM768X25519PublicKey:
    """Parse a public key; `FormatError` when it is not exactly 1216 valid bytes."""
    try:
        return MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(raw[:_MLKEM_PUBLIC_BYTES]),
            X25519PublicKey.from_public_bytes(raw[_MLKEM_PUBLIC_BYTES:]),
        )
    except ValueError as error:
        raise FormatError(
            N_("a public key of {found} bytes is not valid; an X-Wing key has {expected}"),
            found=len(raw),
            expected=PUBLIC_BYTES,
        ) from error


def seal(plaintext: bytes, public: MLKEM768X25519PublicKey, info: bytes) -> bytes:
    """Return enc (1120 bytes) and ciphertext with its tag: HPKE SealBase without AAD.

    `FormatError` when the public key's X25519 half is of low order.
    """
    try:
        return SUITE.encrypt(plaintext, public, info)
    except ValueError as error:
        raise FormatError(
            N_("the public key is of low order: nothing may be sealed to it")
        ) from error


def open_sealed(sealed: bytes, private: MLKEM768X25519PrivateKey, info: bytes) -> bytes | None:
    """Return the plaintext, or None when it is not authentic for this key and info."""
    try:
        return SUITE.decrypt(sealed, private, info)
    except InvalidTag:
        return None


def shares_secret(enc: bytes, secret: bytes) -> bool:
    """Whether the X25519 half of an encapsulated key gives a shared secret that is not zero."""
    try:
        _halves(secret)[1].exchange(X25519PublicKey.from_public_bytes(enc[-32:]))
    except ValueError:
        return False
    return True
