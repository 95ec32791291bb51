"""What a deletion leaves behind: how it is noticed, and how it is made to go.

`secure_delete` overwrites a deleted row where it lies. But SQLite moves rows between pages when it
balances its trees, and what lay there before stays in the unused part of a page. So the table of
wraps, whose deletion is what erases a patient or revokes a right, is now and then written anew:
emptied as a whole (every page is overwritten), then filled with what is kept.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from serment.adapters import system
from serment.adapters.sqlite.connections import immediate

CHEAP = 200_000  # wraps that are rewritten in about a second


def note(connection: sqlite3.Connection, wraps: int) -> None:
    """So many wraps were deleted or replaced, in the transaction that did it."""
    if wraps:
        connection.execute("UPDATE residue SET wraps = wraps + ?", (wraps,))


def rewrite_if_cheap(connection: sqlite3.Connection) -> None:
    """Rewrite the wraps when some were deleted and there are not too many."""
    (deleted,) = connection.execute("SELECT wraps FROM residue").fetchone()
    (kept,) = connection.execute("SELECT count(*) FROM wrap").fetchone()
    if deleted and kept <= CHEAP:
        rewrite(connection)


def rewrite(connection: sqlite3.Connection) -> None:
    """Leave no byte of a deleted wrap in the database's pages, in one transaction.

    The kept ones wait in a temporary table, which is in memory.
    """
    with immediate(connection):
        connection.execute("CREATE TEMP TABLE kept AS SELECT * FROM main.wrap ORDER BY rowid")
        connection.execute("DELETE FROM main.wrap")
        connection.execute("INSERT INTO main.wrap SELECT * FROM temp.kept ORDER BY rowid")
        connection.execute("DROP TABLE temp.kept")
        connection.execute("UPDATE residue SET wraps = 0")


def drop_snapshots(connection: sqlite3.Connection) -> None:
    """Delete all snapshots, which hold the search rows of whoever is being erased; they are made
    again. Without a condition SQLite overwrites the whole table."""
    with immediate(connection):
        connection.execute("DELETE FROM snapshot")


def empty_log(connection: sqlite3.Connection) -> bool:
    """Move the write-ahead log into the database and truncate it; False while a reader needs it.

    SQLite does not wait until the disk has the truncated length: after a power loss the log, and
    what was deleted since it began, would be back.
    """
    (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if not busy:
        (path,) = (row[2] for row in connection.execute("PRAGMA database_list") if row[1] == "main")
        _sync(Path(path + "-wal"))
    return not busy


def _sync(log: Path) -> None:
    try:
        descriptor = os.open(log, os.O_RDWR)
        try:
            system.sync_file(descriptor)
        finally:
            os.close(descriptor)
    except FileNotFoundError:  # nothing was ever written to it
        return
    except OSError as error:
        raise system.disk_error(error) from error
