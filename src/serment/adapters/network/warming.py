"""Uses once what is only loaded at its first use, while files can still be opened."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from serment.adapters.network.line import open_context
from serment.core.crypto.ssh import Exchange, Suite

_CODECS: Final = ("ascii", "latin-1", "utf-8", "utf-16-le", "idna")
_HASHES: Final = ("md5", "sha1", "sha256", "sha512")
_CURVE: Final = Suite("curve25519-sha256", "aes128-gcm@openssh.com")


def warm_up() -> None:
    """Codecs, hashes, OpenSSL's settings, and elliptic curves, which certificates have too.

    What this system refuses (with FIPS 140-3 MD5, or a curve) is left to the question that needs it:
    no other one is stopped by it.
    """
    for use in _uses():
        with contextlib.suppress(Exception):
            use()


def _uses() -> Iterator[Callable[[], object]]:
    for codec in _CODECS:
        yield partial("serment".encode, codec)
    for name in _HASHES:
        yield partial(hashlib.new, name, usedforsecurity=False)
    yield open_context
    yield partial(Exchange, _CURVE)
