"""The classical recipient of age, `X25519`: for files that stock tools without PQ must open.

Source: https://c2sp.org/age, section "The X25519 recipient type".
"""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from serment.core.crypto import bech32
from serment.core.crypto.age.header import (
    FILE_KEY_BYTES,
    Stanza,
    decode_base64,
    encode_base64,
    malformed,
)
from serment.core.crypto.secret import Seed
from serment.errors import N_, FormatError

TYPE = b"X25519"
_INFO = b"age-encryption.org/v1/X25519"
_IDENTITY_HRP = "age-secret-key-"
_RECIPIENT_HRP = "age"
_SHARE_BYTES = 32
_BODY_BYTES = FILE_KEY_BYTES + 16
_NONCE = bytes(12)  # safe: every wrap key is derived from a fresh ephemeral key and used once


class X25519Recipient:
    """An X25519 public key, 32 bytes."""

    __slots__ = ("_key", "public")

    def __init__(self, public: bytes) -> None:
        if len(public) != _SHARE_BYTES:
            raise FormatError(
                N_("an X25519 key has {expected} bytes, not {found}"),
                expected=_SHARE_BYTES,
                found=len(public),
            )
        self._key = X25519PublicKey.from_public_bytes(public)
        self.public = public

    @classmethod
    def from_string(cls, line: str) -> X25519Recipient:
        """Parse an `age1...` line; `FormatError` when it is not one."""
        return cls(bech32.decode(_RECIPIENT_HRP, line))

    def __str__(self) -> str:
        return bech32.encode(_RECIPIENT_HRP, self.public)

    def wrap(self, file_key: bytes) -> Stanza:
        """Seal a file key to the public key; `FormatError` when the key is of low order."""
        ephemeral = X25519PrivateKey.generate()
        share = ephemeral.public_key().public_bytes_raw()
        cipher = _wrap_cipher(ephemeral, self._key, share + self.public)
        return Stanza(TYPE, (encode_base64(share),), cipher.encrypt(_NONCE, file_key, None))


class X25519Identity:
    """An X25519 private key, 32 bytes."""

    __slots__ = ("_key", "_public", "_seed")

    def __init__(self, seed: Seed) -> None:
        self._seed = seed
        self._key = X25519PrivateKey.from_private_bytes(seed.reveal())
        self._public = self._key.public_key().public_bytes_raw()

    @classmethod
    def from_string(cls, line: str) -> X25519Identity:
        """Parse an `AGE-SECRET-KEY-1...` line; `FormatError` when it is not one."""
        return cls(Seed(bech32.decode(_IDENTITY_HRP, line)))

    def to_string(self) -> str:
        """Return the identity line: whoever reads it opens the files."""
        return bech32.encode(_IDENTITY_HRP, self._seed.reveal()).upper()

    def recipient(self) -> X25519Recipient:
        """Return the public half."""
        return X25519Recipient(self._public)

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        """Return the file key of the first stanza this key opens, or None.

        Raises:
            FormatError: an `X25519` stanza breaks the specification.
        """
        ours = [(_share(stanza), stanza.body) for stanza in stanzas if stanza.type == TYPE]
        for share, body in ours:
            public = X25519PublicKey.from_public_bytes(share)
            cipher = _wrap_cipher(self._key, public, share + self._public)
            try:
                return cipher.decrypt(_NONCE, body, None)
            except InvalidTag:
                continue
        return None


def _wrap_cipher(
    private: X25519PrivateKey, public: X25519PublicKey, salt: bytes
) -> ChaCha20Poly1305:
    try:
        shared = private.exchange(public)
    except ValueError as error:
        raise malformed(N_("an age key of low order keeps no secret")) from error
    return ChaCha20Poly1305(HKDF(SHA256(), 32, salt, _INFO).derive(shared))


def _share(stanza: Stanza) -> bytes:
    """Return the share of one of our stanzas, its sizes checked before any opening."""
    if len(stanza.arguments) != 1:
        raise malformed(N_("not an age v1 file: a recipient has another number of arguments"))
    share = decode_base64(stanza.arguments[0])
    if len(share) != _SHARE_BYTES or len(stanza.body) != _BODY_BYTES:
        raise malformed(N_("not an age v1 file: a recipient's key has another size"))
    return share
