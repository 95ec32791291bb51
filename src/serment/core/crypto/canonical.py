"""Base64 that is written in one way only (RFC 4648 section 3.5): what was changed is never the same."""

from __future__ import annotations

import binascii


def canonical_base64(text: bytes) -> bytes:
    """Return the bytes of padded base64.

    Raises:
        ValueError: it is none, or another text says the same bytes and is the right one.
    """
    raw = binascii.a2b_base64(text, strict_mode=True)
    if binascii.b2a_base64(raw, newline=False) != text:
        raise ValueError("bits after the last byte are not zero")
    return raw
