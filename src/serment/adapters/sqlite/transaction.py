"""One open change of the SQLite store; the journal entry it completes is written by `store`."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any, TypeVar

from serment.adapters.changes import Changes
from serment.adapters.sqlite.failures import translated
from serment.adapters.sqlite.rows import TABLES, Table
from serment.core.records.rows import digest_of, joined
from serment.core.records.vault import Row, Wrap
from serment.errors import N_, Conflict

R = TypeVar("R", bound=Row)


def get(connection: sqlite3.Connection, row: type[R], key: tuple[object, ...]) -> R | None:
    kind = TABLES[row]
    values = connection.execute(kind.get, kind.key(key)).fetchone()
    found: R | None = None if values is None else kind.decode(values)
    return found


def find(connection: sqlite3.Connection, row: type[R], equals: dict[str, object]) -> list[R]:
    kind = TABLES[row]
    condition, values = kind.where(equals)
    with closing(connection.execute(f"{kind.select}{condition} ORDER BY rowid", values)) as lines:
        return [kind.decode(line) for line in lines]  # closed: a row that cannot be read would
        # otherwise hold the log as long as somebody keeps the error


def count(connection: sqlite3.Connection, row: type[Any], equals: dict[str, object]) -> int:
    kind = TABLES[row]
    condition, values = kind.where(equals)
    sql = f"SELECT count(*) FROM {kind.name}{condition}"
    return int(connection.execute(sql, values).fetchone()[0])


FIRST_ROW = -(1 << 63)  # of those that somebody may have numbered himself


def digests(
    kind: Table, start: int, limit: int, connection: sqlite3.Connection
) -> list[tuple[int, str, str]]:
    """Number, name and digest of some rows of a table, whatever its columns hold."""
    if start > -(FIRST_ROW + 1):
        return []
    sql = kind.select.replace("SELECT ", "SELECT rowid, ", 1)
    sql += " WHERE rowid >= ? ORDER BY rowid LIMIT ?"
    connection.text_factory = any_text
    try:
        lines = connection.execute(sql, (start, limit)).fetchall()
    finally:
        connection.text_factory = str
    keys = kind.key_places
    return [(n, joined(row[place] for place in keys), digest_of(row)) for n, *row in lines]


def any_text(raw: bytes) -> str:
    """A text column of whatever bytes somebody left there."""
    return raw.decode("utf-8", "surrogateescape")


class SqliteTransaction:
    """The `Transaction` port; usable only inside its `change` block and by its thread."""

    def __init__(self, connection: sqlite3.Connection, changes: Changes) -> None:
        self._connection: sqlite3.Connection | None = connection
        self._changes = changes
        self.wraps_gone = 0  # deleted or replaced

    def get(self, row: type[R], /, *key: object) -> R | None:
        with translated():
            return get(self._open(), row, key)

    def find(self, row: type[R], /, **equals: object) -> list[R]:
        with translated():
            return find(self._open(), row, equals)

    def put(self, row: Row) -> None:
        with translated():
            existed = self._exists(row)
            self._open().execute(TABLES[type(row)].upsert, TABLES[type(row)].encode(row))
        self.wraps_gone += existed and isinstance(row, Wrap)
        self._changes.written(row, existed)

    def add(self, row: Row) -> None:
        with translated():
            if self._exists(row):
                raise Conflict(
                    N_("this {kind} exists already"),
                    hint=N_("somebody was faster: look at what is there and try again"),
                    kind=TABLES[type(row)].name,
                )
            self._open().execute(TABLES[type(row)].insert, TABLES[type(row)].encode(row))
        self._changes.written(row, existed=False)

    def delete(self, row: Row) -> None:
        kind = TABLES[type(row)]
        with translated():
            if self._open().execute(kind.delete, kind.key_of(row)).rowcount:
                self.wraps_gone += isinstance(row, Wrap)
                self._changes.deleted(row)

    def note(self, **details: Any) -> None:
        self._open()
        self._changes.note(**details)

    def end(self) -> None:
        """The block is over: nothing can be changed through this object any more."""
        self._connection = None

    def _exists(self, row: Row) -> bool:
        kind = TABLES[type(row)]
        return self._open().execute(kind.exists, kind.key_of(row)).fetchone() is not None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            raise RuntimeError("this change has ended")
        return self._connection
