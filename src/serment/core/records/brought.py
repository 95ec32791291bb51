"""What a reception brought: how many objects, and one hash over all of them.

The hash is the Merkle root (RFC 6962) over the SHA-256 of each object's age file, smallest first: it
stays the same when the rows are made again from the packs, in whatever order.
"""

from __future__ import annotations

from collections.abc import Iterable

from serment.core.crypto import merkle

_SIZE = 32  # bytes of a digest


class Brought:
    """Collects the digests of an envelope's objects, 32 bytes of each."""

    def __init__(self, digests: Iterable[bytes] = ()) -> None:
        self._digests = bytearray().join(digests)

    @property
    def size(self) -> int:
        """How many objects."""
        return len(self._digests) // _SIZE

    def append(self, digest: bytes) -> None:
        """One more: SHA-256 of its age file, 32 bytes."""
        self._digests += digest

    def root(self) -> bytes:
        """32 bytes; of nothing, the root of an empty tree."""
        starts = range(0, len(self._digests), _SIZE)
        return merkle.root(sorted(bytes(self._digests[s : s + _SIZE]) for s in starts))
