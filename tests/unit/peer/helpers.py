"""A helper on loopback, in a thread, with a clock of its own; and a line to it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from serment.adapters.memory.clock import MemoryClock
from serment.adapters.peer.book import Book
from serment.adapters.peer.calling import FarPeers
from serment.adapters.peer.listening import Helper

HOST = "127.0.0.1"
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


@dataclass
class Scene:
    """A helper that listens, a practice that may call it, and what the helper told."""

    helper: Helper
    peers: FarPeers
    theirs: Book
    ours: Book
    clock: MemoryClock
    place: str = ""
    told: list[tuple[str, str]] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.place.rpartition(":")[2])

    def pass_time(self, span: timedelta) -> None:
        """On the clock of both."""
        self.clock.advance(span.total_seconds())

    def pair(self, name: str = "colleague") -> None:
        """With the right code."""
        self.peers.pair(name, self.place, self.helper.offer(name))


@contextmanager
def scene(folder: Path) -> Iterator[Scene]:
    clock = MemoryClock(NOW)
    ours, theirs = Book(folder / "practice.json"), Book(folder / "helper.json")
    told: list[tuple[str, str]] = []
    helper = Helper(theirs, clock, lambda what, name: told.append((what, name)))
    host, port = helper.listen(HOST, 0)
    thread = threading.Thread(target=helper.serve)
    thread.start()
    try:
        yield Scene(helper, FarPeers(ours, clock), theirs, ours, clock, f"{host}:{port}", told)
    finally:
        helper.stop()
        thread.join()
