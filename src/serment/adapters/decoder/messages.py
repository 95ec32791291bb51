"""What parent and child say to each other over pipes: a small JSON header, then bytes.

Each message is a 4-byte big-endian length, that many bytes of JSON, and `length` bytes more. The
parent trusts nothing that comes back: sizes are checked before anything is read.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

HEADER_LIMIT = 1 << 14  # bytes of JSON

Read = Callable[[int], bytes]  # at most so many bytes; empty at the end
Write = Callable[[bytes], object]


def send(write: Write, header: dict[str, Any], payload: bytes = b"") -> None:
    """Write one message. Raises what `write` raises (OSError when the other side is gone)."""
    encoded = json.dumps({**header, "length": len(payload)}).encode()
    write(len(encoded).to_bytes(4, "big") + encoded)
    if payload:
        write(payload)


def receive(read: Read, limit: int) -> tuple[dict[str, Any], bytes] | None:
    """Read one message with at most `limit` bytes of payload; None at the end of the pipe.

    Raises ValueError for anything else than a whole, well-formed message.
    """
    prefix = _exactly(read, 4)
    if not prefix:
        return None
    size = int.from_bytes(prefix, "big")
    if size > HEADER_LIMIT:
        raise ValueError("header too long")
    try:
        header = json.loads(_exactly(read, size))
    except RecursionError:
        raise ValueError("header too deep") from None
    length = header.get("length") if isinstance(header, dict) else None
    if not isinstance(length, int) or not 0 <= length <= limit:
        raise ValueError("no acceptable length")
    payload = _exactly(read, length)
    if len(payload) < length:
        raise ValueError("the pipe ended inside a message")
    return header, payload


def _exactly(read: Read, size: int) -> bytes:
    """`size` bytes; empty when the pipe ends before the first; shorter raises ValueError."""
    parts, left = [], size
    while left:
        part = read(min(left, 1 << 20))
        if not part:
            break
        parts.append(part)
        left -= len(part)
    if left and parts:
        raise ValueError("the pipe ended inside a message")
    return b"".join(parts)
