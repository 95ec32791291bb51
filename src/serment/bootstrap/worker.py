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
from serment.app.copying import renew
from serment.app.watch.checkpoints import Checkpoints
from serment.app.watch.expiry import expire
from serment.bootstrap.children import watch_parent
from serment.bootstrap.folder import open_folder
from serment.bootstrap.logs import Log, logger
from serment.core.crypto.secret import Seed
from serment.core.journal.copies import COPY_EVERY
from serment.core.journal.entries import Entry, EventKind
from serment.errors import SermentError
from serment.ports import Clock

TICK_SECONDS = 1.0
# After a chore that failed: deleted wraps wait for it, and other writers while it tries.
AGAIN_SECONDS = 60.0


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
    copy = Chore("key copy", COPY_EVERY.total_seconds(), lambda: _copy(store, clock, log))
    chores = [
        Chore("checkpoint", 60, checkpoints.sign_if_changed),
        copy,
        Chore("expiry", 86400, lambda: expire(store, clock, key, folder.vault)),
    ]
    store.record(Entry(EventKind.SERVER_STARTED, clock.now(), "worker", {}))
    print(json.dumps({"worker": True}), flush=True)  # noqa: T201 - the parent reads this line
    closed = threading.Event()
    watch_parent(closed)
    while not closed.wait(TICK_SECONDS):
        for chore in chores:
            do_if_due(chore, clock, log)
    store.record(Entry(EventKind.SERVER_STOPPED, clock.now(), "worker", {}))
    checkpoints.sign_if_changed()
    _do(copy, log)
    checkpoints.sign_if_changed()  # what was odd about the copy is journalled
    store.close()
    return 0


def _copy(store: SqliteStore, clock: SystemClock, log: Log) -> None:
    if what := renew(store, clock.now()):
        log.error("the copy of the keys was not simply replaced", what=what)


def do_if_due(chore: Chore, clock: Clock, log: Log) -> None:
    """And see to it that it is due again: soon if it failed."""
    if clock.monotonic() >= chore.due:
        done = _do(chore, log)
        chore.due = clock.monotonic() + (chore.every if done else AGAIN_SECONDS)


def _do(chore: Chore, log: Log) -> bool:
    """Whether it was done."""
    try:
        chore.work()
    except SermentError as error:
        log.error("chore failed", what=chore.name, reason=error.message)
        return False
    return True
