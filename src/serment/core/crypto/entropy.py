"""Where randomness is drawn: ids, tokens, nonces and keys.

Encryption functions draw here themselves; a nonce is never a caller's choice.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from serment.core.crypto.context import encode_fields

TOKEN_BYTES = 32


def random_bytes(n: int) -> bytes:
    """Return n bytes of the system's generator."""
    return secrets.token_bytes(n)


def new_id() -> str:
    """Return 32 hexadecimal digits, never derived from anything a peer sent."""
    return secrets.token_hex(16)


def new_token() -> str:
    """Return a URL-safe bearer token of 256 bits."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def token_hash(token: str) -> bytes:
    """Return what is kept of a token: 32 bytes; a token has 256 bits, so no salt is needed."""
    return hashlib.sha256(encode_fields("token", token)).digest()


def same(a: bytes, b: bytes) -> bool:
    """Compare in a time that does not depend on where the two differ."""
    return hmac.compare_digest(a, b)
