"""The `Store` port over one SQLite file in WAL mode, used by several processes at once.

Threads share one store: each call borrows a connection of its own, except that inside a `change`
block everything this thread does sees the change under way. Writers of this process queue on a
lock, those of other processes on SQLite's (30 s at most).
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from serment.adapters import system
from serment.adapters.changes import Changes, check_times
from serment.adapters.sqlite import journal, keycopy, residue, transaction
from serment.adapters.sqlite.connections import READ, WRITE, Connections, connect, immediate
from serment.adapters.sqlite.failures import damaged, translated
from serment.adapters.sqlite.rows import TABLES
from serment.adapters.sqlite.schema import STEPS, check_version, migrate
from serment.adapters.sqlite.transaction import SqliteTransaction
from serment.core.crypto.merkle import Frontier
from serment.core.journal.caller import placed
from serment.core.journal.entries import CheckpointRow, Entry, LoggedEntry
from serment.core.journal.keystate import WrapName
from serment.core.records.vault import Row, Snapshot, StoredObject, WrapKind
from serment.errors import N_, Remark, Unavailable
from serment.ports import Transaction

R = TypeVar("R", bound=Row)
T = TypeVar("T")
PAGE = 1000  # journal entries read at a time, so that no reader holds the log back for long


class SqliteStore:
    """The database in the file `path` and its second copy `key_copy` beside it.

    Neither there: a new vault, an empty database (0600) is made. Older: brought to the present
    version. `read_only`: nothing of that is done, and nothing is written.

    Raises:
        FormatError: it belongs to another program or to a newer Serment.
        IntegrityError: it is damaged, or gone while its copy is still there.
        NoSpace, Unavailable: the disk said no.
    """

    def __init__(self, path: Path, key_copy: Path, *, read_only: bool = False) -> None:
        self._path, self._key_copy = path, key_copy
        mode = READ if read_only else WRITE
        if not read_only:
            _check_presence(path, key_copy)
        with translated():
            if not read_only:
                _prepare(path)
            self._observer = _observe(path, mode)
        self._durable = Connections(path, "FULL", mode)
        self._fast = Connections(path, "NORMAL", mode)
        self._writing = threading.Lock()
        self._observing = threading.Lock()
        self._mine = threading.local()

    # Rows

    def get(self, row: type[R], /, *key: object) -> R | None:
        return self._reading(lambda connection: transaction.get(connection, row, key))

    def find(self, row: type[R], /, **equals: object) -> list[R]:
        return self._reading(lambda connection: transaction.find(connection, row, equals))

    def count(self, row: type[R], /, **equals: object) -> int:
        return self._reading(lambda connection: transaction.count(connection, row, equals))

    def wrap_names(self, kind: WrapKind) -> list[WrapName]:
        sql = "SELECT kind, subject, recipient, epoch FROM wrap WHERE kind = ?"

        def read(connection: sqlite3.Connection) -> list[WrapName]:
            with closing(connection.execute(sql, (kind.value,))) as lines:
                return [WrapName(*line) for line in lines]

        return self._reading(read)

    def change(self, entry: Entry) -> AbstractContextManager[Transaction]:
        return self._change(entry)

    @contextmanager
    def _change(self, entry: Entry) -> Iterator[Transaction]:
        check_times(entry)
        changes = Changes(placed(entry))
        with self._writer(self._durable) as connection:
            under_way = SqliteTransaction(connection, changes)
            self._mine.connection = connection
            try:
                yield under_way
            finally:
                del self._mine.connection
                under_way.end()
            residue.note(connection, under_way.wraps_gone)
            journal.append(connection, changes.complete())

    def record(self, entry: Entry) -> None:
        check_times(entry)
        with self._writer(self._durable) as connection:
            journal.append(connection, placed(entry))

    def add_objects(self, objects: Sequence[StoredObject]) -> None:
        if objects:
            kind = TABLES[StoredObject]
            with self._writer(self._fast) as connection:
                connection.executemany(kind.ignore, [kind.encode(row) for row in objects])

    def keep_snapshot(self, snapshot: Snapshot) -> None:
        kind = TABLES[Snapshot]
        with self._writer(self._fast) as connection:
            connection.execute(kind.upsert, kind.encode(snapshot))

    def objects_after(self, cursor: int, limit: int) -> list[tuple[int, StoredObject]]:
        kind = TABLES[StoredObject]
        sql = kind.select.replace("SELECT ", "SELECT cursor, ", 1)
        sql += " WHERE cursor > ? ORDER BY cursor LIMIT ?"

        def read(connection: sqlite3.Connection) -> list[tuple[int, StoredObject]]:
            with closing(connection.execute(sql, (cursor, limit))) as lines:
                return [(line[0], kind.decode(line[1:])) for line in lines]

        return self._reading(read)

    def row_digests(self, row: type[Row], /) -> Iterator[tuple[str, str]]:
        start = transaction.FIRST_ROW
        while found := self._reading(partial(transaction.digests, TABLES[row], start, PAGE)):
            yield from ((name, digest) for _, name, digest in found)
            start = found[-1][0] + 1

    @contextmanager
    def at_once(self) -> Iterator[None]:
        self._refuse_nested()
        with translated(), self._durable.lent() as connection:
            connection.execute("BEGIN")
            self._mine.connection = connection
            try:
                yield
            finally:
                del self._mine.connection

    def data_version(self) -> int:
        with self._observing, translated():
            return int(self._observer.execute("PRAGMA data_version").fetchone()[0])

    # The journal

    def journal(self, start: int = 0, stop: int | None = None) -> Iterator[LoggedEntry]:
        end = self.journal_size() if stop is None else stop
        while found := self._page(start, end):
            yield from found
            start = found[-1].index + 1

    def _page(self, start: int, stop: int) -> list[LoggedEntry]:
        return self._reading(lambda connection: journal.page(connection, start, stop, PAGE))

    def journal_size(self) -> int:
        return self.journal_tree().size

    def journal_tree(self) -> Frontier:
        return self._reading(journal.tree)

    def expire(self, indices: Sequence[int], tombstones: Sequence[bytes], entry: Entry) -> None:
        check_times(entry)
        with self._writer(self._durable) as connection:
            journal.expire(connection, indices, tombstones)
            journal.append(connection, entry)

    def checkpoints(self) -> list[CheckpointRow]:
        return self._reading(journal.checkpoints)

    def add_checkpoint(self, checkpoint: CheckpointRow) -> None:
        with self._writer(self._durable) as connection:
            journal.add_checkpoint(connection, checkpoint)

    # The file itself

    def check(self) -> list[str]:
        def read(connection: sqlite3.Connection) -> list[str]:
            found = [row[0] for row in connection.execute("PRAGMA integrity_check").fetchall()]
            orphans = connection.execute("PRAGMA foreign_key_check").fetchall()
            gone = N_("a row of {table} refers to a row of {other} that is gone")
            lines = [Remark(gone, table=row[0], other=row[2]) for row in orphans]
            return [*(line for line in found if line != "ok"), *lines, *journal.check(connection)]

        try:
            return self._reading(read)
        except type(damaged()) as error:
            return [str(error)]

    def copy_keys(self) -> int:
        with self._copying() as connection:
            residue.rewrite_if_cheap(connection)
            emptied = residue.empty_log(connection)
            kept = keycopy.write(self._key_copy, connection)
        _check_emptied(emptied)
        return kept

    @contextmanager
    def copied(self) -> Iterator[SqliteStore | None]:
        if not self._key_copy.exists():
            raise keycopy.missing()
        copy = SqliteStore(self._key_copy, self._key_copy, read_only=True)
        try:
            yield copy
        finally:
            copy.close()

    def forget(self) -> None:
        with self._copying() as connection:
            residue.rewrite(connection)
            residue.drop_snapshots(connection)
            emptied = residue.empty_log(connection)
            keycopy.write(self._key_copy, connection)
            keycopy.drop_damaged(self._path)
        _check_emptied(emptied)

    def close(self) -> None:
        """Close every connection; the last one of all processes empties the write-ahead log."""
        with self._observing:
            self._observer.close()
        self._fast.close()
        self._durable.close()

    def _reading(self, read: Callable[[sqlite3.Connection], T]) -> T:
        mine: sqlite3.Connection | None = getattr(self._mine, "connection", None)
        with translated():
            if mine is not None:
                return read(mine)
            with self._durable.lent() as connection:
                return read(connection)

    @contextmanager
    def _writer(self, connections: Connections) -> Iterator[sqlite3.Connection]:
        self._refuse_nested()
        with self._writing, translated(), connections.lent() as connection, immediate(connection):
            yield connection

    @contextmanager
    def _copying(self) -> Iterator[sqlite3.Connection]:
        self._refuse_nested()
        with (
            keycopy.turn(self._key_copy),
            self._writing,
            translated(),
            self._durable.lent() as connection,
        ):
            yield connection

    def _refuse_nested(self) -> None:
        if getattr(self._mine, "connection", None) is not None:
            raise RuntimeError("a change is under way in this thread: use its transaction")


def _check_emptied(emptied: bool) -> None:
    if not emptied:
        raise Unavailable(
            N_("the database's log could not be emptied: somebody is reading it"),
            hint=N_("try again in a moment, or stop the server first"),
        )


def _check_presence(path: Path, key_copy: Path) -> None:
    """Make the empty file of a new vault; an empty or absent one beside a copy is damage."""
    try:
        if path.exists() and path.stat().st_size:
            return
        if key_copy.exists():
            raise damaged()
        if not path.exists():
            os.close(system.create_private(path))
            system.sync_folder(path.parent)
    except OSError as error:
        raise system.disk_error(error) from error


def _observe(path: Path, mode: str) -> sqlite3.Connection:
    connection = connect(path, "FULL", mode)
    try:
        if check_version(connection) < len(STEPS):
            raise damaged()  # an empty file, or one that only `migrate` could read
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(path: Path) -> None:
    """Bring the file to the present version and to WAL mode, which stays with the file."""
    connection = connect(path, "FULL")
    try:
        migrate(connection)
        connection.execute("PRAGMA journal_mode = WAL").fetchall()
    finally:
        connection.close()
