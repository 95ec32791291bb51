"""A chore of the worker that failed is due again soon, not after its whole interval."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.practices import disk_world

from serment.adapters.memory.clock import MemoryClock
from serment.app.copying import renew
from serment.bootstrap.logs import logger
from serment.bootstrap.worker import AGAIN_SECONDS, Chore, do_if_due
from serment.core.journal.copies import COPY_EVERY
from serment.core.journal.entries import Entry, EventKind
from serment.core.records.vault import Wrap


def test_a_log_that_a_reader_holds_is_emptied_as_soon_as_he_is_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A deleted wrap stays in the write-ahead log no longer than that."""
    world = disk_world(tmp_path)
    store, clock, log = world.house.store, MemoryClock(), logger("worker")
    gone = store.find(Wrap)[0]
    chore = Chore("key copy", COPY_EVERY.total_seconds(), lambda: renew(store, clock.now()))
    with store._durable.lent() as connection:
        connection.execute("PRAGMA busy_timeout = 50")
    with closing(sqlite3.connect(tmp_path / "vault.sqlite3", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM wrap").fetchone()
        with store.change(Entry(EventKind.KEYS_MOVED, clock.now(), "m")) as tx:
            tx.delete(gone)
        do_if_due(chore, clock, log)
        assert "could not be emptied" in capsys.readouterr().err
        assert gone.blob in everything(tmp_path)
    clock.advance(AGAIN_SECONDS - 1)
    do_if_due(chore, clock, log)
    assert gone.blob in everything(tmp_path)
    clock.advance(1)
    do_if_due(chore, clock, log)
    assert gone.blob not in everything(tmp_path)
    assert chore.due == clock.monotonic() + COPY_EVERY.total_seconds()


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())
