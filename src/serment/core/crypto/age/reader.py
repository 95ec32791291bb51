"""Opening an age file anywhere in it: what comes out is authentic and at its place.

Reads through a function, so that the caller decides where the bytes are; holds at most a few
chunks. The last chunk is authenticated before the size is believed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from serment.core.crypto.age import header, stream
from serment.core.crypto.age.buffers import filled
from serment.core.crypto.age.recipients import Identity
from serment.errors import N_, AccessDenied, IntegrityError

# Chunks read at once. Larger reads beside the output make the allocator give pages back to the
# system and fetch them again, which costs three times the decryption (measured).
_BATCH = 2

NO_KEY = N_("no key of this session opens this object")


@dataclass(frozen=True, slots=True)
class Opened:
    """What opening a file gave. Whoever keeps it reads that file again without its identity, and
    only that file: every chunk must be authentic under the key found then."""

    cipher: ChaCha20Poly1305
    payload: int  # offset of the first chunk, in bytes
    plain_size: int


class AgeReader:
    """A view of one age file's plaintext.

    Args:
        read: returns exactly `size` bytes of the file at `offset`.
        size: of the age file, in bytes.
        identities: tried in order.

    Raises:
        FormatError: not an age v1 file.
        AccessDenied: sealed to somebody else.
        IntegrityError: header, or end of the file, not authentic.
    """

    __slots__ = ("_chunks", "_cipher", "_last", "_payload", "_read", "opened", "plain_size")

    opened: Opened
    plain_size: int
    _last: bytes | None

    def __init__(self, read: header.Read, size: int, identities: Sequence[Identity]) -> None:
        self._take(read, _open(read, size, identities))
        self._last = self._open_last()

    @classmethod
    def again(cls, read: header.Read, opened: Opened) -> AgeReader:
        """A view of a file that was opened before; `IntegrityError` comes with the chunk read."""
        reader = cls.__new__(cls)
        reader._take(read, opened)
        return reader

    def _take(self, read: header.Read, opened: Opened) -> None:
        self._read, self.opened = read, opened
        self._cipher, self._payload = opened.cipher, opened.payload
        self.plain_size = opened.plain_size
        self._chunks = stream.chunk_count(opened.plain_size)
        self._last = None

    def read(self, offset: int, length: int) -> bytes:
        """Return up to `length` bytes of plaintext at `offset`; fewer only at the end."""
        start, stop = self._clamp(offset, offset + length)
        return filled(max(0, stop - start), lambda out: self._fill(out, start, stop))

    def stream(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Give the plaintext from `start` up to `stop` (the end by default) in pieces of 64 KiB
        at most; `IntegrityError` at the first chunk that is not authentic."""
        start, stop = self._clamp(start, self.plain_size if stop is None else stop)
        for index, sealed in self._chunks_of(start, stop):
            base = index * stream.CHUNK
            plain = self._open(index, sealed)
            yield plain[max(0, start - base) : stop - base]

    def _clamp(self, start: int, stop: int) -> tuple[int, int]:
        return max(0, start), min(stop, self.plain_size)

    def _fill(self, out: memoryview, start: int, stop: int) -> None:
        for index, sealed in self._chunks_of(start, stop):
            base = index * stream.CHUNK
            low, high = max(start, base), min(stop, base + stream.CHUNK)
            part = out[low - start : high - start]
            if sealed is not None and len(part) == stream.CHUNK:
                stream.open_chunk_into(self._cipher, sealed, index, self._chunks, part)
            else:
                part[:] = self._open(index, sealed)[low - base : high - base]

    def _chunks_of(self, start: int, stop: int) -> Iterator[tuple[int, memoryview | None]]:
        """Give the chunks that hold a range, still sealed; None for the last, open already."""
        if start >= stop:
            return
        end = (stop - 1) // stream.CHUNK + 1
        sealed_end = min(end, self._chunks - 1)
        for batch in range(start // stream.CHUNK, sealed_end, _BATCH):
            count = min(_BATCH, sealed_end - batch)
            sealed = self._sealed(batch, count * stream.SEALED_CHUNK)
            for i in range(count):
                yield batch + i, sealed[i * stream.SEALED_CHUNK : (i + 1) * stream.SEALED_CHUNK]
        if end == self._chunks:
            yield end - 1, None

    def _open(self, index: int, sealed: memoryview | None) -> bytes:
        if sealed is None:
            self._last = self._last or self._open_last()
            return self._last
        return stream.open_chunk(self._cipher, sealed, index, self._chunks)

    def _open_last(self) -> bytes:
        index = self._chunks - 1
        size = self.plain_size - index * stream.CHUNK + stream.TAG
        return stream.open_chunk(self._cipher, self._sealed(index, size), index, self._chunks)

    def _sealed(self, index: int, size: int) -> memoryview:
        sealed = memoryview(self._read(self._payload + index * stream.SEALED_CHUNK, size))
        if len(sealed) != size:
            raise IntegrityError(stream.PAYLOAD_CUT, found=len(sealed))
        return sealed


def open_bytes(data: bytes | bytearray | memoryview, identity: Identity) -> bytes:
    """Return the plaintext of a whole age file; errors as `AgeReader`."""
    view = memoryview(data).cast("B")
    reader = AgeReader(lambda at, size: view[at : at + size], len(view), (identity,))
    return reader.read(0, reader.plain_size)


def _open(read: header.Read, size: int, identities: Sequence[Identity]) -> Opened:
    head = header.read_header(read, size)
    file_key = _file_key(head, identities)
    head.check(file_key)
    if size < head.size + stream.NONCE_BYTES:
        raise header.malformed(N_("not an age v1 file: the payload has no nonce"))
    payload = head.size + stream.NONCE_BYTES
    cipher = stream.payload_cipher(file_key, bytes(read(head.size, stream.NONCE_BYTES)))
    return Opened(cipher, payload, stream.plain_size(size - payload))


def _file_key(head: header.Header, identities: Sequence[Identity]) -> bytes:
    for identity in identities:
        file_key = identity.unwrap(head.stanzas)
        if file_key is not None:
            return file_key
    raise AccessDenied(NO_KEY, hint=N_("ask someone entitled to open it, or to grant access"))
