"""Connections to one database file: how they are set up, and lent to one thread at a time.

Two ways of committing: `durable` (synchronous=FULL: on disk when the commit returns) and `fast`
(synchronous=NORMAL: on disk with the next durable commit, for rows that can be rebuilt).
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BUSY_SECONDS = 30.0
WAL_LIMIT = 64 * 1024 * 1024  # bytes the write-ahead log keeps once checkpointed


WRITE = "mode=rw"
READ = "mode=ro&immutable=1"  # a file that nobody changes in place: nothing is made beside it


def connect(path: Path, synchronous: str, mode: str = WRITE) -> sqlite3.Connection:
    """Open an existing database file with every setting that secrecy and durability need.

    `secure_delete` overwrites what is deleted; `temp_store` keeps temporary tables off the disk;
    `fullfsync` matters on macOS only.
    """
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        for setting in (
            f"synchronous = {synchronous}",
            "foreign_keys = ON",
            "secure_delete = ON",
            "temp_store = MEMORY",
            "trusted_schema = OFF",
            "cell_size_check = ON",
            "fullfsync = ON",
            "checkpoint_fullfsync = ON",
            f"journal_size_limit = {WAL_LIMIT}",
        ):
            connection.execute(f"PRAGMA {setting}").fetchall()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


class Connections:
    """Idle connections of one kind; as many are made as threads work at the same moment."""

    def __init__(self, path: Path, synchronous: str, mode: str = WRITE) -> None:
        self._path, self._synchronous, self._mode = path, synchronous, mode
        self._lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False

    @contextmanager
    def lent(self) -> Iterator[sqlite3.Connection]:
        """A connection for this block alone; given back without any open transaction."""
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = connect(self._path, self._synchronous, self._mode)
        try:
            yield connection
        finally:
            self._take_back(connection)

    def _take_back(self, connection: sqlite3.Connection) -> None:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        with self._lock:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Close the idle ones now, those lent when they come back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()


@contextmanager
def immediate(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """One write transaction: committed at the end of the block, rolled back on any exception."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
