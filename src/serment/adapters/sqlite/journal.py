"""The journal's tables: append with the tree's state, read, expire, keep checkpoints.

Works inside a transaction its caller began; what a leaf is, `core.journal.log` says.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing

from serment.adapters.sqlite.failures import damaged
from serment.core.crypto.merkle import Frontier
from serment.core.journal.entries import CheckpointRow, Entry, LoggedEntry
from serment.core.journal.log import leaf, new_salt
from serment.core.records.rows import from_micros, to_micros
from serment.errors import N_, FormatError, NotFound, Remark


def tree(connection: sqlite3.Connection) -> Frontier:
    """The tree's state; `IntegrityError` when the row is gone or makes none."""
    row = connection.execute("SELECT frontier FROM journal_tree").fetchone()
    try:
        return Frontier.decode(row[0])
    except (TypeError, FormatError) as error:
        raise damaged() from error


def append(connection: sqlite3.Connection, entry: Entry) -> None:
    """Add an entry as the next leaf, and the tree's new state."""
    frontier = tree(connection)
    salt, body = new_salt(), entry.encode()
    hashed = leaf(salt, body)
    connection.execute(
        "INSERT INTO journal (number, leaf, salt, body) VALUES (?, ?, ?, ?)",
        (frontier.size, hashed, salt, body),
    )
    frontier.append(hashed)
    connection.execute("UPDATE journal_tree SET frontier = ?", (frontier.encode(),))


def check(connection: sqlite3.Connection) -> list[str]:
    """Whether somebody put rows beside those that the tree counts: nobody would ever read them."""
    sql = "SELECT (SELECT count(*) FROM journal), frontier FROM journal_tree"
    count, frontier = connection.execute(sql).fetchone() or (0, b"")
    try:
        size = Frontier.decode(frontier).size
    except (TypeError, FormatError):
        return [Remark(N_("the state of the journal's tree is damaged"))]
    if count == size:
        return []
    return [Remark(N_("the journal has {count} rows, its tree {size}"), count=count, size=size)]


def page(connection: sqlite3.Connection, start: int, stop: int, limit: int) -> list[LoggedEntry]:
    """Up to `limit` entries from number `start` on, below `stop`."""
    sql = (
        "SELECT number, leaf, salt, body, tombstone FROM journal"
        " WHERE number >= ? AND number < ? ORDER BY number LIMIT ?"
    )
    with closing(connection.execute(sql, (start, stop, limit))) as rows:
        return [LoggedEntry(*row) for row in rows]


def expire(
    connection: sqlite3.Connection, indices: Sequence[int], tombstones: Sequence[bytes]
) -> None:
    """Delete body and salt of these entries and set their tombstones."""
    for number, tombstone in zip(indices, tombstones, strict=True):
        done = connection.execute(
            "UPDATE journal SET salt = NULL, body = NULL, tombstone = ? WHERE number = ?",
            (tombstone, number),
        )
        if done.rowcount != 1:
            raise NotFound(N_("the journal has no entry {number}"), number=number)


def checkpoints(connection: sqlite3.Connection) -> list[CheckpointRow]:
    sql = "SELECT size, note, at FROM checkpoint ORDER BY number"
    with closing(connection.execute(sql)) as rows:
        return [CheckpointRow(size, note, from_micros(at)) for size, note, at in rows]


def add_checkpoint(connection: sqlite3.Connection, checkpoint: CheckpointRow) -> None:
    connection.execute(
        "INSERT INTO checkpoint (size, note, at) VALUES (?, ?, ?)",
        (checkpoint.size, checkpoint.note, to_micros(checkpoint.at)),
    )
