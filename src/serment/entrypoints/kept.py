"""What was made of objects (pictures, metadata), kept in memory while their circle is open.

Bounded by bytes for each circle; what was used longest ago goes first. Whether somebody may see
it, and the journal, are decided before it is asked for here.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

LIMIT_BYTES = 64 << 20  # for each open circle

Key = tuple[object, ...]


class Kept:
    """Called from many threads."""

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit = limit_bytes
        self._lock = threading.Lock()
        self._circles: dict[str, OrderedDict[Key, bytes]] = {}
        self._sizes: dict[str, int] = {}
        self._turn = 0

    def turn(self) -> int:
        """A number that grows whenever a circle closes: what was read before does not go in."""
        return self._turn

    def close(self, circle: str) -> None:
        """Forget all of a circle's."""
        with self._lock:
            self._turn += 1
            self._circles.pop(circle, None)
            self._sizes.pop(circle, None)

    def get(self, circle: str, key: Key) -> bytes | None:
        with self._lock:
            kept = self._circles.get(circle)
            if kept is None or key not in kept:
                return None
            kept.move_to_end(key)
            return kept[key]

    def put(self, circle: str, key: Key, value: bytes, turn: int) -> None:
        """Keep it, unless a circle closed since `turn` or it alone is over the limit."""
        with self._lock:
            if turn != self._turn or len(value) > self._limit:
                return
            kept = self._circles.setdefault(circle, OrderedDict())
            old = kept.pop(key, b"")
            kept[key] = value
            self._sizes[circle] = self._sizes.get(circle, 0) + len(value) - len(old)
            while self._sizes[circle] > self._limit:
                _, gone = kept.popitem(last=False)
                self._sizes[circle] -= len(gone)

    def size_bytes(self) -> int:
        """What all of them take together."""
        with self._lock:
            return sum(self._sizes.values())
