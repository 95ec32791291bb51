"""Sealing bytes as an age file: whole in one call, or as a stream in bounded memory.

Where the file is written is the caller's affair.
"""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from serment.core.crypto import entropy
from serment.core.crypto.age import header, stream
from serment.core.crypto.age.recipients import Recipient
from serment.errors import N_, UsageError


def seal_bytes(data: bytes | bytearray | memoryview, recipient: Recipient) -> bytearray:
    """Return a whole age file that holds `data`: the hot path of reception.

    The output is allocated once and each chunk is encrypted straight into it.
    """
    head, cipher = _begin((recipient,))
    plain = memoryview(data).cast("B")
    out = bytearray(len(head) + stream.sealed_size(len(plain)))
    with memoryview(out) as view, view[len(head) :] as payload:
        view[: len(head)] = head
        stream.seal_into(cipher, plain, payload, 0, last=True)
    return out


class AgeWriter:
    """One age file as a stream: `header()` first, then `update()` as often as needed, `finish()`.

    Never holds more than one chunk (64 KiB) besides what it was just given.
    """

    __slots__ = ("_chunks", "_cipher", "_head", "_rest")

    def __init__(self, recipients: Sequence[Recipient]) -> None:
        if not recipients:
            raise UsageError(N_("a file must be sealed to somebody"))
        self._head, self._cipher = _begin(recipients)
        self._rest = b""
        self._chunks = 0

    def header(self) -> bytes:
        """Return the header and the payload nonce: the first bytes of the file."""
        return self._head

    def update(self, data: bytes | bytearray | memoryview) -> bytes:
        """Take more plaintext; return the sealed chunks that are now certain not to be the last."""
        plain = memoryview(data).cast("B")
        if len(self._rest) + len(plain) <= stream.CHUNK:
            self._rest += plain
            return b""
        missing = -len(self._rest) % stream.CHUNK
        # The last chunk stays back, full or not: only finish() knows that it is the last.
        whole = (len(plain) - missing - 1) // stream.CHUNK * stream.CHUNK
        sealed = self._seal(self._rest + plain[:missing]) if self._rest else b""
        sealed += self._seal(plain[missing : missing + whole]) if whole else b""
        self._rest = bytes(plain[missing + whole :])
        return sealed

    def finish(self) -> bytes:
        """Return the last chunk; nothing may be added after it."""
        return self._seal(self._rest, last=True)

    def _seal(self, plain: bytes | memoryview, *, last: bool = False) -> bytes:
        out = bytearray(stream.sealed_size(len(plain)))
        with memoryview(out) as view:
            stream.seal_into(self._cipher, memoryview(plain), view, self._chunks, last)
        self._chunks += stream.chunk_count(len(plain))
        return bytes(out)


def _begin(recipients: Sequence[Recipient]) -> tuple[bytes, ChaCha20Poly1305]:
    file_key = entropy.random_bytes(header.FILE_KEY_BYTES)
    nonce = entropy.random_bytes(stream.NONCE_BYTES)
    stanzas = [recipient.wrap(file_key) for recipient in recipients]
    return header.render(stanzas, file_key) + nonce, stream.payload_cipher(file_key, nonce)
