"""Sealing one key for one recipient, and sealing small values under a key.

HPKE where the wrapper holds only a public key, AES-256-GCM where it holds the recipient's key.
Every blob is bound to its `Context`. Opening tells no more than "authentic or not". Which wraps
exist is decided in `core.records` and `app.protect`.

Source: RFC 9180 (HPKE base mode), NIST SP 800-38D (GCM, random 96-bit nonce).
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from serment.core.crypto import entropy, keys, xwing
from serment.core.crypto.context import Context
from serment.core.crypto.secret import SECRET_BYTES, Key, Seed
from serment.errors import N_, IntegrityError

NONCE_BYTES = 12
TAG_BYTES = 16
HPKE_WRAP_BYTES = xwing.ENC_BYTES + SECRET_BYTES + TAG_BYTES  # 1168
KEY_WRAP_BYTES = NONCE_BYTES + SECRET_BYTES + TAG_BYTES  # 60


def wrap_to_public(secret: Seed | Key, public: bytes, context: Context) -> bytes:
    """Seal a secret to an X-Wing public key (1216 bytes): 1168 bytes.

    Raises:
        FormatError: the public key is not valid.
    """
    return xwing.seal(secret.reveal(), xwing.public_key(public), context.encode())


def unwrap_with_seed(blob: bytes, seed: Seed, context: Context) -> bytes:
    """Return the 32 bytes sealed to the seed's public key; `IntegrityError` otherwise."""
    private = xwing.private_key(keys.xwing_secret(seed))
    opened = None
    if len(blob) == HPKE_WRAP_BYTES:
        opened = xwing.open_sealed(blob, private, context.encode())
    if opened is None:
        raise _not_authentic(context)
    return opened


def wrap_under_key(secret: Seed | Key, key: Key, context: Context) -> bytes:
    """Seal a secret under a key: nonce, ciphertext, tag; 60 bytes."""
    return seal_value(secret.reveal(), key, context)


def unwrap_under_key(blob: bytes, key: Key, context: Context) -> bytes:
    """Return the 32 bytes sealed under the key; `IntegrityError` otherwise."""
    if len(blob) != KEY_WRAP_BYTES:
        raise _not_authentic(context)
    return open_value(blob, key, context)


def seal_value(plaintext: bytes, key: Key, context: Context) -> bytes:
    """Seal a value of any size under a key: nonce (12), ciphertext, tag (16)."""
    nonce = entropy.random_bytes(NONCE_BYTES)
    return nonce + AESGCM(key.reveal()).encrypt(nonce, plaintext, context.encode())


def open_value(blob: bytes, key: Key, context: Context) -> bytes:
    """Return a value sealed under the key in this context; `IntegrityError` otherwise."""
    if len(blob) < NONCE_BYTES + TAG_BYTES:
        raise _not_authentic(context)
    try:
        return AESGCM(key.reveal()).decrypt(
            blob[:NONCE_BYTES], blob[NONCE_BYTES:], context.encode()
        )
    except InvalidTag as error:
        raise _not_authentic(context) from error


def _not_authentic(context: Context) -> IntegrityError:
    whose = N_("{kind} of {subject} for {recipient} is not authentic")
    return IntegrityError(
        whose if context.recipient else N_("{kind} of {subject} is not authentic"),
        hint=N_(
            "run `serment doctor`: the vault was changed or damaged, or the key is another one"
        ),
        kind=context.kind,
        subject=context.subject,
        recipient=context.recipient,
    )
