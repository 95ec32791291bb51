"""Sealing bytes as an age file: a stream in bounded memory.

Where the file is written is the caller's affair.
"""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from serment.core.crypto import entropy
from serment.core.crypto.age import header, stream
from serment.core.crypto.age.recipients import Recipient
from serment.errors import N_, UsageError


class AgeWriter:
    """One age file as a stream: `header()` first, then `update()` as often as needed, `finish()`.

    Never holds more than one chunk (64 KiB) besides what it was just given.
    """

    __slots__ = ("_chunks", "_cipher", "_done", "_head", "_held", "_rest")

    def __init__(self, recipients: Sequence[Recipient]) -> None:
        if not recipients:
            raise UsageError(N_("a file must be sealed to somebody"))
        self._head, self._cipher = _begin(recipients)
        self._rest = memoryview(b"")  # what came after the last whole chunk; made when it is needed
        self._held = 0  # bytes of it
        self._chunks = 0
        self._done = False

    def header(self) -> bytes:
        """Return the header and the payload nonce: the first bytes of the file."""
        return self._head

    def update(self, data: bytes | bytearray | memoryview) -> bytes:
        """Take more plaintext; return the sealed chunks that are now certain not to be the last."""
        out = bytearray(self.update_size(len(data)))
        self.update_into(data, memoryview(out))
        return bytes(out)

    def finish(self) -> bytes:
        """Return the last chunk; nothing may be added after it."""
        out = bytearray(self.finish_size)
        self.finish_into(memoryview(out))
        return bytes(out)

    def update_size(self, size: int) -> int:
        """How many bytes come out when `size` bytes more go in."""
        # The last chunk stays back, full or not: only finish() knows that it is the last.
        return max(0, self._held + size - 1) // stream.CHUNK * stream.SEALED_CHUNK

    def update_into(self, data: bytes | bytearray | memoryview, out: memoryview) -> None:
        """As `update`, into `out`, which has exactly `update_size` bytes."""
        self._check_open()
        plain = memoryview(data).cast("B")
        if len(out):
            plain = plain[self._seal(plain, out) :]
        if not len(self._rest):
            self._rest = memoryview(bytearray(stream.CHUNK))
        end = self._held + len(plain)
        self._rest[self._held : end] = plain
        self._held = end

    @property
    def finish_size(self) -> int:
        """How many bytes `finish` gives."""
        return stream.sealed_size(self._held)

    def finish_into(self, out: memoryview) -> None:
        """As `finish`, into `out`, which has exactly `finish_size` bytes."""
        self._check_open()
        self._done = True
        stream.seal_into(self._cipher, self._rest[: self._held], out, self._chunks, last=True)

    def _check_open(self) -> None:
        # A second last chunk would be sealed with the nonce of the first.
        if self._done:
            raise UsageError(N_("this file is finished: nothing can be added to it"))

    def _seal(self, plain: memoryview, out: memoryview) -> int:
        """Fill `out` with the chunks that what was left over and `plain` make; how much of `plain`
        they took."""
        at, used = 0, 0
        if self._held:
            used = stream.CHUNK - self._held
            self._rest[self._held :] = plain[:used]
            self._held, at = 0, stream.SEALED_CHUNK
            self._seal_whole(self._rest, out[:at])
        whole = (len(out) - at) // stream.SEALED_CHUNK * stream.CHUNK
        if whole:
            self._seal_whole(plain[used : used + whole], out[at:])
        return used + whole

    def _seal_whole(self, plain: memoryview, out: memoryview) -> None:
        stream.seal_into(self._cipher, plain, out, self._chunks, last=False)
        self._chunks += len(plain) // stream.CHUNK


def _begin(recipients: Sequence[Recipient]) -> tuple[bytes, ChaCha20Poly1305]:
    file_key = entropy.random_bytes(header.FILE_KEY_BYTES)
    nonce = entropy.random_bytes(stream.NONCE_BYTES)
    stanzas = [recipient.wrap(file_key) for recipient in recipients]
    return header.render(stanzas, file_key) + nonce, stream.payload_cipher(file_key, nonce)
