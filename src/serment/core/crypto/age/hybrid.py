"""The post-quantum recipient of age, `mlkem768x25519`: HPKE with X-Wing.

Source: https://c2sp.org/age, section "The MLKEM768-X25519 hybrid post-quantum recipient type".
"""

from __future__ import annotations

from collections.abc import Sequence

from serment.core.crypto import bech32, keys, xwing
from serment.core.crypto.age.header import (
    FILE_KEY_BYTES,
    Stanza,
    decode_base64,
    encode_base64,
    malformed,
)
from serment.core.crypto.secret import Seed
from serment.core.masked import Masked
from serment.errors import N_

TYPE = b"mlkem768x25519"
_INFO = b"age-encryption.org/mlkem768x25519"
_BODY_BYTES = FILE_KEY_BYTES + xwing.TAG_BYTES


class HybridRecipient:
    """An X-Wing public key (1216 bytes), parsed once and used for many files."""

    __slots__ = ("_key", "public")

    def __init__(self, public: bytes) -> None:
        self._key = xwing.public_key(public)
        self.public = public

    @classmethod
    def from_string(cls, line: str) -> HybridRecipient:
        """Parse an `age1pq1...` line; `FormatError` when it is not one."""
        return cls(bech32.decode(keys.AGE_RECIPIENT_HRP, line))

    def __str__(self) -> str:
        return keys.age_recipient(self.public)

    def wrap(self, file_key: bytes) -> Stanza:
        """Seal a file key to the public key."""
        sealed = xwing.seal(file_key, self._key, _INFO)
        enc = encode_base64(sealed[: xwing.ENC_BYTES])
        return Stanza(TYPE, (enc,), sealed[xwing.ENC_BYTES :])


class HybridIdentity:
    """The secret half, from one of Serment's seeds or from an age identity line."""

    __slots__ = ("_key", "_secret")

    def __init__(self, seed: Seed) -> None:
        self._take(keys.xwing_secret(seed))

    @classmethod
    def from_string(cls, line: str) -> HybridIdentity:
        """Parse an `AGE-SECRET-KEY-PQ-1...` line; `FormatError` when it is not one."""
        identity = cls.__new__(cls)
        identity._take(Seed(bech32.decode(keys.AGE_IDENTITY_HRP, line)).reveal())
        return identity

    def _take(self, secret: bytes) -> None:
        self._secret = Masked(secret)
        self._key = xwing.private_key(secret)

    def recipient(self) -> HybridRecipient:
        """Return the public half."""
        return HybridRecipient(xwing.public_bytes(self._secret.reveal()))

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        """Return the file key of the first stanza this key opens, or None.

        Raises:
            FormatError: an `mlkem768x25519` stanza breaks the specification.
        """
        ours = [(_enc(stanza), stanza.body) for stanza in stanzas if stanza.type == TYPE]
        for enc, body in ours:
            opened = xwing.open_sealed(enc + body, self._key, _INFO)
            if opened is not None:
                return opened
            # A key exchange that a low-order point forced to zero is an attack, not a mismatch.
            if not xwing.shares_secret(enc, self._secret.reveal()):
                raise malformed(N_("an age key of low order keeps no secret"))
        return None


def _enc(stanza: Stanza) -> bytes:
    """Return the encapsulated key of one of our stanzas, its sizes checked before any opening."""
    if len(stanza.arguments) != 1:
        raise malformed(N_("not an age v1 file: a recipient has another number of arguments"))
    enc = decode_base64(stanza.arguments[0])
    if len(enc) != xwing.ENC_BYTES or len(stanza.body) != _BODY_BYTES:
        raise malformed(N_("not an age v1 file: a recipient's key has another size"))
    return enc
