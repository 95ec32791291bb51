"""The worker process: what must happen without anybody asking, with no key that opens a patient.

Signs a checkpoint of the journal every minute with changes, refreshes the second copy of the keys
every hour, lets old journal bodies expire every day. Ends when its standard input closes, with a
last checkpoint.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from serment.adapters.sqlite.store import SqliteStore
from serment.adapters.system import SystemClock, no_core_dumps, private_umask
from serment.app.watch.checkpoints import Checkpoints
from serment.app.watch.expiry import expire
from serment.bootstrap.children import watch_parent
from serment.bootstrap.folder import open_folder
from serment.bootstrap.logs import logger
from serment.core.crypto.secret import Seed
from serment.core.journal.entries import Entry, EventKind
from serment.errors import SermentError

TICK_SECONDS = 1.0


@dataclass(slots=True)
class Chore:
    """Something done again and again; `due` is monotonic seconds."""

    name: str
    every: float
    work: Callable[[], object]
    due: float = 0.0


def run(root: Path) -> int:
    """Work until standard input closes."""
    private_umask()
    no_core_dumps()
    folder, log, clock = open_folder(root), logger("worker"), SystemClock()
    store = SqliteStore(folder.database, folder.key_copy)
    key = Seed(folder.journal_key.read_bytes())
    checkpoints = Checkpoints(store, clock, key, folder.vault)
    chores = [
        Chore("checkpoint", 60, checkpoints.sign_if_changed),
        Chore("key copy", 3600, store.copy_keys),
        Chore("expiry", 86400, lambda: expire(store, clock, key, folder.vault)),
    ]
    store.record(Entry(EventKind.SERVER_STARTED, clock.now(), "worker", {}))
    print(json.dumps({"worker": True}), flush=True)  # noqa: T201 - the parent reads this line
    closed = threading.Event()
    watch_parent(closed)
    while not closed.wait(TICK_SECONDS):
        for chore in chores:
            if clock.monotonic() >= chore.due:
                chore.due = clock.monotonic() + chore.every
                _do(chore, log)
    store.record(Entry(EventKind.SERVER_STOPPED, clock.now(), "worker", {}))
    checkpoints.sign_if_changed()
    store.copy_keys()
    store.close()
    return 0


def _do(chore: Chore, log: object) -> None:
    try:
        chore.work()
    except SermentError as error:
        log.error("chore failed", what=chore.name, reason=error.message)  # type: ignore[attr-defined]
