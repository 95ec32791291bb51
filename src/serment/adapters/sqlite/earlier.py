"""What a new copy of the keys takes over from the earlier one, and when it must not replace it.

Since the earlier copy was made a row of the database may have been damaged, or an older database put
in the place of a newer one. So the journal of the earlier copy has to be the beginning of the
database's, and a row that differs without an entry since that tells of it is taken from the earlier
copy if it has there the digest that the journal tells of. What was deleted is told of: it goes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from serment.adapters.sqlite.failures import translate
from serment.adapters.sqlite.rows import TABLES, Table
from serment.adapters.sqlite.schema import APPLICATION_ID
from serment.adapters.sqlite.transaction import any_text
from serment.core.crypto.merkle import Frontier
from serment.core.journal.copies import (
    ANOTHER,
    KEPT,
    NEWER,
    RowName,
    digests_of,
    is_lost,
    told_of,
)
from serment.core.journal.entries import LoggedEntry
from serment.core.journal.rows import NEEDED
from serment.core.records.rows import digest_of, joined
from serment.errors import FormatError, IntegrityError

_ENTRY = "{0}.number, {0}.leaf, {0}.salt, {0}.body, {0}.tombstone"
_ENTRIES = f"SELECT {_ENTRY.format('j')} FROM copy.journal AS j WHERE number >= ? ORDER BY number"
_DIFFERENT = (
    f"SELECT {_ENTRY.format('e')}, {_ENTRY.format('j')} FROM earlier.journal AS e"
    " LEFT JOIN copy.journal AS j ON j.number = e.number WHERE j.leaf IS NOT e.leaf"
    " OR j.salt IS NOT e.salt OR j.body IS NOT e.body OR j.tombstone IS NOT e.tombstone"
)


def attach(connection: sqlite3.Connection, path: Path) -> bool:
    """Attach the copy at `path` as `earlier`, to be read only; False where there is none, or none
    that this program can read: then nothing can be lost by replacing it."""
    if not path.exists():
        return False
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    try:
        connection.execute("ATTACH DATABASE ? AS earlier", (uri,))
        if _mark(connection, "earlier") == (APPLICATION_ID, _mark(connection, "main")[1]):
            return True
    except sqlite3.Error as error:
        if not is_damage(error):
            raise
    detach(connection)
    return False


def detach(connection: sqlite3.Connection) -> None:
    """Whatever became of attaching it."""
    if any(name == "earlier" for _, name, _ in connection.execute("PRAGMA database_list")):
        connection.execute("DETACH DATABASE earlier")


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the earlier copy is no database, or not laid out as one of ours (an unknown table or
    column)."""
    unknown = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR
    return unknown or isinstance(translate(error), IntegrityError)


def _mark(connection: sqlite3.Connection, name: str) -> tuple[int, int]:
    """Whose database it is, and of which version."""
    owner = connection.execute(f"PRAGMA {name}.application_id").fetchone()[0]
    return owner, connection.execute(f"PRAGMA {name}.user_version").fetchone()[0]


def take_over(connection: sqlite3.Connection) -> int:
    """Complete the `copy` by what `earlier` has right; how many rows that were, of entries too.

    Raises:
        IntegrityError: the earlier copy has another journal, or more of it.
    """
    had, has = _check_size(connection)
    entries = _lost_entries(connection)
    for number in entries:
        _replace(connection, "journal", number)
    _mend_tree(connection)
    lost = _lost_rows(connection, had, has)
    for table, row in lost:
        _replace(connection, table, row)
    return len(entries) + len(lost)


def _check_size(connection: sqlite3.Connection) -> tuple[int, int]:
    """How many entries the earlier copy had, and how many there must be now."""
    sql = "SELECT coalesce(max(number) + 1, 0) FROM {}.journal"
    had, has = (int(connection.execute(sql.format(n)).fetchone()[0]) for n in ("earlier", "main"))
    has = max(has, _tree_size(connection))
    if had > has:
        raise IntegrityError(NEWER, hint=KEPT, count=had - has)
    return had, has


def _tree_size(connection: sqlite3.Connection) -> int:
    (frontier,) = connection.execute("SELECT frontier FROM main.journal_tree").fetchone() or (b"",)
    try:
        return Frontier.decode(frontier).size
    except (TypeError, FormatError):
        return 0


def _lost_entries(connection: sqlite3.Connection) -> list[int]:
    lost = []
    for line in _lines(connection, _DIFFERENT):
        earlier = LoggedEntry(*line[:5])
        now = None if line[5] is None else LoggedEntry(*line[5:])
        if is_lost(earlier, now):
            lost.append(earlier.index)
        elif now is None or now.leaf != earlier.leaf:
            raise IntegrityError(ANOTHER, hint=KEPT)
    return lost


def _mend_tree(connection: sqlite3.Connection) -> None:
    """One flipped bit of the tree's state does not spread: it follows from the leaves."""
    (kept,) = connection.execute("SELECT frontier FROM copy.journal_tree").fetchone() or (b"",)
    if _grown(connection, "earlier").encode() == kept:
        return
    tree = _grown(connection)
    if tree.size == _tree_size(connection):
        connection.execute("UPDATE copy.journal_tree SET frontier = ?", (tree.encode(),))


def _grown(connection: sqlite3.Connection, start: str = "") -> Frontier:
    """The tree over the leaves of the copy: of all, or of those since the one of `start`."""
    tree = Frontier()
    if start:
        (raw,) = connection.execute(f"SELECT frontier FROM {start}.journal_tree").fetchone()
        tree = Frontier.decode(raw)
    sql = "SELECT leaf FROM copy.journal WHERE number >= ? ORDER BY number"
    for (leaf,) in connection.execute(sql, (tree.size,)):
        tree.append(leaf)
    return tree


def _lost_rows(connection: sqlite3.Connection, had: int, has: int) -> list[tuple[str, int]]:
    """Table and number of the rows of `earlier` that are right, and not as they were in `copy`."""
    since = told_of(_entries(connection, had), had, has)
    if since is None:
        return []
    different: dict[RowName, tuple[int, str]] = {}
    for kind in NEEDED:
        table = TABLES[kind]
        for number, *row in _lines(connection, _differing(table)):
            name = (table.name, joined(row[place] for place in table.key_places))
            if name not in since:
                different[name] = number, digest_of(row)
    if not different:
        return []
    told = digests_of(_entries(connection, 0), different)
    return [
        (name[0], number)
        for name, (number, digest) in different.items()
        if told.get(name) == digest
    ]


def _differing(table: Table) -> str:
    """Rows of `earlier` that are gone from `copy` or are others there."""
    names = [f'"{column.name}"' for column in table.columns]
    keys = [names[place] for place in table.key_places]
    same_key = " AND ".join(f"c.{key} = e.{key}" for key in keys)
    differs = " OR ".join(f"c.{name} IS NOT e.{name}" for name in names)
    columns = ", ".join(f"e.{name}" for name in names)
    return (
        f"SELECT e.rowid, {columns} FROM earlier.{table.name} AS e"
        f" LEFT JOIN copy.{table.name} AS c ON {same_key} WHERE {differs}"
    )


def _entries(connection: sqlite3.Connection, start: int) -> Iterator[LoggedEntry]:
    return (LoggedEntry(*line) for line in _lines(connection, _ENTRIES, start))


def _lines(connection: sqlite3.Connection, sql: str, *values: object) -> Iterator[tuple[Any, ...]]:
    cursor = connection.cursor()
    connection.text_factory = any_text
    try:
        with closing(cursor.execute(sql, values)) as lines:
            yield from lines
    finally:
        connection.text_factory = str


def _replace(connection: sqlite3.Connection, table: str, row: int) -> None:
    sql = f"INSERT OR REPLACE INTO copy.{table} SELECT * FROM earlier.{table} WHERE rowid = ?"
    connection.execute(sql, (row,))
