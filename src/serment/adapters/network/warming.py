"""Uses once what is only loaded at its first use, while files can still be opened."""

from __future__ import annotations

import hashlib
from typing import Final

from serment.adapters.network.line import open_context
from serment.core.crypto.ssh import Exchange, Suite

_CODECS: Final = ("ascii", "latin-1", "utf-8", "utf-16-le", "idna")


def warm_up() -> None:
    """Codecs, hashes, OpenSSL's settings, and elliptic curves, which certificates have too."""
    for codec in _CODECS:
        "serment".encode(codec).decode(codec)
    for name in ("md5", "sha1", "sha256", "sha512"):
        hashlib.new(name)
    open_context()
    Exchange(Suite("curve25519-sha256", "aes128-gcm@openssh.com"))
