"""Puts the pieces of one object together on their way to a reception, in bounded memory.

Up to 4 MiB an object is stored whole; a longer one is streamed. What goes wrong with an object is
kept until its end, and the rest of it is read over, so that the sender gets its answer. Leaves to
others: where the pieces come from, what the answer looks like.
"""

from __future__ import annotations

from typing import Final

from serment.errors import N_, SermentError, Unavailable
from serment.ports import Receipt, Reception, Streaming

WHOLE: Final = 4 * 1024 * 1024  # bytes stored in one call
PIECE: Final = 1024 * 1024  # bytes handed on at once when streaming
_FIRST: Final = 256 * 1024
OVERLAP: Final = 2  # spare bytes kept in front, see `room`


def too_large(limit: int) -> Unavailable:
    """The refusal of what has more bytes than an object may have."""
    return Unavailable(
        N_("the object is larger than {limit} bytes"),
        hint=N_("it cannot be kept here; keep it where it is"),
        limit=limit,
    )


class Buffer:
    """A byte array that grows as bytes arrive and is used again for the next object."""

    __slots__ = ("_bytes", "_end", "_view")

    def __init__(self) -> None:
        self._bytes = bytearray(_FIRST)
        self._view = memoryview(self._bytes)
        self._end = OVERLAP

    def __len__(self) -> int:
        return self._end - OVERLAP

    def room(self, size: int, overlap: int = 0) -> memoryview:
        """Space for the next `size` bytes, preceded by the last `overlap` (<= 2) bytes there are.

        The space is never ahead of what arrived by more than `size` and a doubling.
        """
        needed = self._end + size
        if needed > len(self._bytes):
            self._grow(needed)
        return self._view[self._end - overlap : needed]

    def advance(self, size: int) -> None:
        """`size` bytes have been written into the space of `room`."""
        self._end += size

    def append(self, data: bytes | bytearray | memoryview) -> None:
        self.room(len(data))[:] = data
        self.advance(len(data))

    def content(self) -> memoryview:
        return self._view[OVERLAP : self._end]

    def clear(self) -> None:
        self._end = OVERLAP

    def _grow(self, needed: int) -> None:
        larger = bytearray(max(needed, min(2 * len(self._bytes), WHOLE + PIECE)))
        larger[: self._end] = self._view[: self._end]
        self._bytes, self._view = larger, memoryview(larger)


class Assembly:
    """One object after another, through one buffer into one reception."""

    def __init__(self, reception: Reception, limit: int) -> None:
        """
        Args:
            limit: bytes an object may have at most; beyond, it is refused.
        """
        self.buffer = Buffer()
        self._reception = reception
        self._limit = limit
        self._reset()

    def _reset(self) -> None:
        self.buffer.clear()
        self.size = 0
        self._streaming: Streaming | None = None
        self._error: SermentError | None = None

    @property
    def refused(self) -> bool:
        """Whether the rest of this object is only read over."""
        return self._error is not None

    def refuse(self, error: SermentError) -> None:
        """This object will not be kept; `finish` raises the first reason given."""
        if self._error is None:
            self._error = error
        self._drop()

    def expect(self, size: int) -> None:
        """Make sure that `size` more bytes fit into the buffer: hand on what is there if not."""
        self.size += size
        if self._error is not None:
            self.buffer.clear()
        elif self.size > self._limit:
            self.refuse(too_large(self._limit))
            self.buffer.clear()
        elif len(self.buffer) + size > (WHOLE if self._streaming is None else PIECE):
            self._hand_on()

    def write(self, data: bytes | memoryview) -> None:
        """The next bytes, in any size."""
        view = memoryview(data)
        for start in range(0, len(view), PIECE):
            piece = view[start : start + PIECE]
            self.expect(len(piece))
            self.buffer.append(piece)

    def finish(self) -> Receipt:
        """The object is complete: store it, and be ready for the next one.

        Raises:
            SermentError: what the reception, or the limit, says against it.
        """
        try:
            if self._error is not None:
                raise self._error
            if self._streaming is None:
                return self._reception.store(self.buffer.content())
            self._streaming.write(self.buffer.content())
            return self._streaming.finish()
        except SermentError:
            self._drop()
            raise
        finally:
            self._reset()

    def abandon(self) -> None:
        """Nobody will send the rest: forget the object."""
        self._drop()
        self._reset()

    def _hand_on(self) -> None:
        content = self.buffer.content()
        try:
            if self._streaming is None:
                self._streaming = self._reception.start(content)
            else:
                self._streaming.write(content)
        except SermentError as error:
            self.refuse(error)
        self.buffer.clear()

    def _drop(self) -> None:
        if self._streaming is not None:
            self._streaming.abort()
            self._streaming = None
