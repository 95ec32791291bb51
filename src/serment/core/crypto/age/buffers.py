"""Making `bytes` in place, without the copy that a bytearray would need at the end."""

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
