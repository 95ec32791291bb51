"""A receiver in which one promise is broken: `python weak_receiver.py WEAKNESS ROOT HOST PORT`.

Run by tests that must see it; nothing else starts it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from serment.adapters import system
from serment.adapters.packs.local import LocalPacks
from serment.adapters.sqlite import connections
from serment.bootstrap.receiver import run


def no_pack_sync() -> None:
    """Packs are never flushed."""
    system.sync_file = lambda descriptor: None


def no_folder_sync() -> None:
    """The name of a new pack is never flushed."""
    system.sync_folder = lambda path: None


def no_log_sync() -> None:
    """The database does not wait for the disk."""
    connect = connections.connect
    connections.connect = lambda path, synchronous, *mode: connect(path, "OFF", *mode)


def answer_first() -> None:
    """Success is said before anybody waited for the disk."""
    LocalPacks.sync = lambda self: None  # type: ignore[method-assign]


WEAKNESSES: dict[str, Callable[[], None]] = {
    "no pack sync": no_pack_sync,
    "no folder sync": no_folder_sync,
    "no log sync": no_log_sync,
    "answer first": answer_first,
}

if __name__ == "__main__":
    weakness, root, host, port = sys.argv[1:]
    WEAKNESSES[weakness]()
    sys.exit(run(Path(root), (host, int(port))))
