"""Opening an age file anywhere in it: what comes out is authentic and at its place.

Reads through a function, so that the caller decides where the bytes are; holds at most a few
chunks. The last chunk is authenticated before the size is believed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from serment.core.crypto.age import header, stream
from serment.core.crypto.age.recipients import Identity
from serment.errors import N_, AccessDenied, IntegrityError

_BATCH = 16  # chunks read at once: 1 MiB

NO_KEY = N_("no key of this session opens this object")


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

    __slots__ = ("_chunks", "_cipher", "_last", "_payload", "_read", "plain_size")

    plain_size: int

    def __init__(
        self, read: Callable[[int, int], bytes], size: int, identities: Sequence[Identity]
    ) -> None:
        head = header.read_header(read, size)
        file_key = _file_key(head, identities)
        head.check(file_key)
        if size < head.size + stream.NONCE_BYTES:
            raise header.malformed(N_("the payload has no nonce"))
        self._read = read
        self._payload = head.size + stream.NONCE_BYTES
        self._cipher = stream.payload_cipher(file_key, read(head.size, stream.NONCE_BYTES))
        self.plain_size = stream.plain_size(size - self._payload)
        self._chunks = stream.chunk_count(self.plain_size)
        self._last = self._open_last()

    def read(self, offset: int, length: int) -> bytes:
        """Return up to `length` bytes of plaintext at `offset`; fewer only at the end."""
        return b"".join(self.stream(offset, offset + length))

    def stream(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Give the plaintext from `start` up to `stop` (the end by default) in pieces of 64 KiB
        at most; `IntegrityError` at the first chunk that is not authentic."""
        start = max(0, start)
        stop = self.plain_size if stop is None else min(stop, self.plain_size)
        if start >= stop:
            return
        first, last = start // stream.CHUNK, (stop - 1) // stream.CHUNK
        for index, chunk in self._open(first, last + 1):
            base = index * stream.CHUNK
            if base < start or base + len(chunk) > stop:
                yield chunk[max(0, start - base) : stop - base]
            else:
                yield chunk

    def _open(self, first: int, end: int) -> Iterator[tuple[int, bytes]]:
        """Give chunks first to end - 1; the last chunk of the file is open already."""
        for batch in range(first, min(end, self._chunks - 1), _BATCH):
            stop = min(batch + _BATCH, end, self._chunks - 1)
            sealed = memoryview(self._sealed(batch, (stop - batch) * stream.SEALED_CHUNK))
            for index in range(batch, stop):
                at = (index - batch) * stream.SEALED_CHUNK
                piece = sealed[at : at + stream.SEALED_CHUNK]
                yield index, stream.open_chunk(self._cipher, piece, index, self._chunks)
        if end == self._chunks:
            yield end - 1, self._last

    def _open_last(self) -> bytes:
        index = self._chunks - 1
        size = self.plain_size - index * stream.CHUNK + stream.TAG
        sealed = memoryview(self._sealed(index, size))
        return stream.open_chunk(self._cipher, sealed, index, self._chunks)

    def _sealed(self, index: int, size: int) -> bytes:
        sealed = self._read(self._payload + index * stream.SEALED_CHUNK, size)
        if len(sealed) != size:
            raise IntegrityError(stream.PAYLOAD_CUT, found=len(sealed))
        return sealed


def open_bytes(data: bytes | bytearray | memoryview, identity: Identity) -> bytes:
    """Return the plaintext of a whole age file; errors as `AgeReader`."""
    view = memoryview(data).cast("B")
    reader = AgeReader(lambda at, size: bytes(view[at : at + size]), len(view), (identity,))
    return reader.read(0, reader.plain_size)


def _file_key(head: header.Header, identities: Sequence[Identity]) -> bytes:
    for identity in identities:
        file_key = identity.unwrap(head.stanzas)
        if file_key is not None:
            return file_key
    raise AccessDenied(NO_KEY, hint=N_("ask someone entitled to open it, or to grant access"))
