"""The two kinds of secret Serment handles, as types that cannot be swapped nor printed.

Where they come from and what they open is decided in `keys` and `wraps`.
"""

from __future__ import annotations

from serment.core.masked import Masked
from serment.errors import N_, FormatError

SECRET_BYTES = 32


class Seed(Masked[bytes]):
    """32 random bytes from which a key pair and other keys are derived, or a private scalar."""

    __slots__ = ()

    def __init__(self, value: bytes) -> None:
        super().__init__(_checked(value))


class Key(Masked[bytes]):
    """An AES-256 key: 32 bytes that seal values and other keys."""

    __slots__ = ()

    def __init__(self, value: bytes) -> None:
        super().__init__(_checked(value))


def _checked(value: bytes) -> bytes:
    if len(value) != SECRET_BYTES:
        raise FormatError(
            N_("a key has {found} bytes instead of {expected}"),
            found=len(value),
            expected=SECRET_BYTES,
        )
    return bytes(value)
