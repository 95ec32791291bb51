"""Memory for sealed bytes: made in place, or used again for the next file."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO


def filled(size: int, fill: Callable[[memoryview], None]) -> bytes:
    """Return `size` bytes that `fill` has written into the view it is given."""
    if not size:
        return b""
    out = BytesIO()  # hands over its own buffer when it is exactly full
    out.seek(size - 1)
    out.write(b"\0")
    with out.getbuffer() as view:
        fill(view)
    return out.getvalue()


class Reused:
    """Memory that grows as bytes come and is used again for what comes next: fresh memory costs
    more than what is written into it."""

    __slots__ = ("_end", "_kept", "_make", "_view")

    def __init__(
        self, size: int, make: Callable[[int], bytearray | memoryview] = bytearray
    ) -> None:
        """
        Args:
            size: bytes that are kept for the next; what grew beyond is given back.
            make: gives so many bytes of memory.
        """
        self._kept, self._make = size, make
        self._view = memoryview(make(size))
        self._end = 0

    def __len__(self) -> int:
        return self._end

    def extend(self, size: int) -> memoryview:
        """`size` more bytes, for the caller to fill; never more than a doubling ahead of them."""
        start, end = self._end, self._end + size
        if end > len(self._view):
            larger = memoryview(self._make(max(end, 2 * len(self._view))))
            larger[:start] = self._view[:start]
            self._view = larger
        self._end = end
        return self._view[start:end]

    def append(self, data: bytes | bytearray | memoryview) -> None:
        self.extend(len(data))[:] = data

    def content(self) -> memoryview:
        """All there is, valid until the next change."""
        return self._view[: self._end]

    def clear(self) -> None:
        self._end = 0
        if len(self._view) > self._kept:
            self._view = memoryview(self._make(self._kept))
