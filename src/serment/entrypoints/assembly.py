"""Takes one object after another, piece by piece, to a reception.

What goes wrong with an object is kept until its end, and the rest of it is read over, so that the
sender gets its answer. Leaves to others: where the pieces come from, what the answer looks like.
"""

from __future__ import annotations

from serment.errors import N_, SermentError, Unavailable
from serment.ports import Receipt, Reception, Streaming


def too_large(limit: int) -> Unavailable:
    """The refusal of what has more bytes than an object may have."""
    return Unavailable(
        N_("the object is larger than {limit} bytes"),
        hint=N_("it cannot be kept here; keep it where it is"),
        limit=limit,
    )


class Assembly:
    """One object after another into one reception."""

    def __init__(self, reception: Reception, limit: int) -> None:
        """
        Args:
            limit: bytes an object may have at most; beyond, it is refused.
        """
        self._reception, self._limit = reception, limit
        self._size = 0
        self._object: Streaming | None = None
        self._error: SermentError | None = None

    def write(self, data: bytes | memoryview) -> None:
        """The next bytes, in any size; nothing of them is kept."""
        if self._error is not None:
            return
        self._size += len(data)
        try:
            if self._size > self._limit:
                raise too_large(self._limit)
            self._begun().write(data)
        except SermentError as error:
            self.refuse(error)

    def refuse(self, error: SermentError) -> None:
        """This object will not be kept; `finish` raises the first reason given."""
        if self._error is None:
            self._error = error
        self._drop()

    def finish(self) -> Receipt:
        """The object is complete: be ready for the next one.

        Raises:
            SermentError: what the reception, or the limit, says against it.
        """
        try:
            if self._error is not None:
                raise self._error
            receipt = self._begun().finish()
            self._object = None
            return receipt
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Nobody will send the rest: forget the object."""
        self._drop()
        self._size, self._error = 0, None

    def _begun(self) -> Streaming:
        if self._object is None:
            self._object = self._reception.start()
        return self._object

    def _drop(self) -> None:
        if self._object is not None:
            self._object.abort()
            self._object = None
