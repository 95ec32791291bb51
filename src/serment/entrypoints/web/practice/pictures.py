"""Rendered pictures kept in memory while the circle that opened them is open, and no longer.

Bounded by bytes for each circle; the picture used longest ago goes first. Whether somebody may
see a picture, and the journal, are decided before it is asked for here.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from serment.entrypoints.web.views import Picture

LIMIT_BYTES = 64 << 20  # for each open circle

Key = tuple[object, ...]


class Pictures:
    """The pictures of every open circle; called from many threads."""

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit = limit_bytes
        self._lock = threading.Lock()
        self._circles: dict[str, OrderedDict[Key, Picture]] = {}
        self._sizes: dict[str, int] = {}

    def open(self, circle: str) -> None:
        """Begin to keep pictures of a circle; harmless when it is open."""
        with self._lock:
            self._circles.setdefault(circle, OrderedDict())
            self._sizes.setdefault(circle, 0)

    def close(self, circle: str) -> None:
        """Forget all of a circle's pictures; one that is still being made is not kept."""
        with self._lock:
            self._circles.pop(circle, None)
            self._sizes.pop(circle, None)

    def get(self, circle: str, key: Key) -> Picture | None:
        with self._lock:
            kept = self._circles.get(circle)
            if kept is None or key not in kept:
                return None
            kept.move_to_end(key)
            return kept[key]

    def put(self, circle: str, key: Key, picture: Picture) -> None:
        """Keep a picture, unless its circle closed meanwhile or it alone is over the limit."""
        with self._lock:
            kept = self._circles.get(circle)
            if kept is None or len(picture.data) > self._limit:
                return
            old = kept.pop(key, None)
            kept[key] = picture
            self._sizes[circle] += len(picture.data) - (len(old.data) if old else 0)
            while self._sizes[circle] > self._limit:
                _, gone = kept.popitem(last=False)
                self._sizes[circle] -= len(gone.data)

    def size_bytes(self) -> int:
        """What all of them take together."""
        with self._lock:
            return sum(self._sizes.values())
