"""The payload of an age file: 64 KiB chunks, each authentic at its place, the last one marked.

Reordering, truncation and appending all fail: the nonce of a chunk is its number and whether it
is the last. A zero-based counter is safe because the key is fresh for every file (random file
key and random 16-byte nonce).

Source: https://c2sp.org/age, section "Payload".
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from serment.errors import N_, IntegrityError

CHUNK = 64 * 1024
TAG = 16
SEALED_CHUNK = CHUNK + TAG
NONCE_BYTES = 16

CHUNK_NOT_AUTHENTIC = N_("an age file fails authentication at chunk {chunk} of {chunks}")
PAYLOAD_CUT = N_("an age file of {found} payload bytes is cut")
_HINT = N_("the file was changed or damaged; restore it from a backup")


def payload_cipher(file_key: bytes, nonce: bytes) -> ChaCha20Poly1305:
    """Return the cipher of one file's chunks."""
    return ChaCha20Poly1305(HKDF(SHA256(), 32, nonce, b"payload").derive(file_key))


def chunk_count(plain_size: int) -> int:
    """Return how many chunks hold a plaintext; one, empty, holds nothing at all."""
    return max(1, -(-plain_size // CHUNK))


def sealed_size(plain_size: int) -> int:
    """Return the size of all chunks of a plaintext, without the payload nonce."""
    return plain_size + chunk_count(plain_size) * TAG


def plain_size(sealed: int) -> int:
    """Return the size of the plaintext in `sealed` bytes of chunks.

    Raises:
        IntegrityError: no plaintext gives that size.
    """
    chunks = -(-sealed // SEALED_CHUNK)
    plain = sealed - chunks * TAG
    if not chunks or plain < 0 or chunk_count(plain) != chunks:
        raise IntegrityError(PAYLOAD_CUT, hint=_HINT, found=sealed)
    return plain


def chunk_nonce(index: int, last: bool) -> bytes:
    """Return the 12-byte nonce of chunk `index` (from 0)."""
    return index.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def seal_into(
    cipher: ChaCha20Poly1305, plain: memoryview, out: memoryview, first: int, last: bool
) -> None:
    """Seal whole chunks of `plain` into `out`, which has exactly `sealed_size(len(plain))` bytes.

    Args:
        first: number of the first chunk, from 0.
        last: whether `plain` ends the file; otherwise it is a multiple of 64 KiB.
    """
    chunks = chunk_count(len(plain))
    for i in range(chunks):
        cipher.encrypt_into(
            chunk_nonce(first + i, last and i == chunks - 1),
            plain[i * CHUNK : (i + 1) * CHUNK],
            None,
            out[i * SEALED_CHUNK : (i + 1) * SEALED_CHUNK],
        )


def open_chunk(cipher: ChaCha20Poly1305, sealed: memoryview, index: int, chunks: int) -> bytes:
    """Return the plaintext of chunk `index` of `chunks`; `IntegrityError` when not authentic."""
    try:
        return cipher.decrypt(chunk_nonce(index, index == chunks - 1), sealed, None)
    except InvalidTag as error:
        raise _not_authentic(index, chunks) from error


def open_chunk_into(
    cipher: ChaCha20Poly1305, sealed: memoryview, index: int, chunks: int, out: memoryview
) -> None:
    """As `open_chunk`, straight into `out`, which has exactly the size of the plaintext."""
    try:
        cipher.decrypt_into(chunk_nonce(index, index == chunks - 1), sealed, None, out)
    except InvalidTag as error:
        raise _not_authentic(index, chunks) from error


def _not_authentic(index: int, chunks: int) -> IntegrityError:
    return IntegrityError(CHUNK_NOT_AUTHENTIC, hint=_HINT, chunk=index + 1, chunks=chunks)
