"""The `Store` port in memory: the same rules as the database, for tests and the demo.

A change works on copies of the tables it touches, which take their place when it ends; whoever
reads meanwhile sees what was there before. Safe for many threads; changes queue on a lock.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

from serment.adapters.changes import Changes, check_times
from serment.core.crypto.merkle import Frontier
from serment.core.journal.caller import placed
from serment.core.journal.entries import CheckpointRow, Entry, LoggedEntry
from serment.core.journal.keystate import WrapName
from serment.core.journal.log import leaf, new_salt
from serment.core.records.rows import SHAPES, digest, key_of, name_of
from serment.core.records.vault import Row, Snapshot, StoredObject, Wrap, WrapKind
from serment.errors import N_, Conflict, NotFound
from serment.ports import OneOf, Transaction

R = TypeVar("R", bound=Row)

Key = tuple[object, ...]
Rows = dict[Key, Any]


class MemoryStore:
    """An empty vault. `close` changes nothing: the same object can be opened again."""

    def __init__(self) -> None:
        self._writing = threading.Lock()
        self._mine = threading.local()
        self._tables: dict[type[Any], Rows] = {kind: {} for kind in SHAPES}
        self._cursors: list[tuple[int, str]] = []  # of objects, in order of arrival
        self._last_cursor = 0
        self._log: list[LoggedEntry] = []
        self._frontier = Frontier()
        self._checkpoints: list[CheckpointRow] = []
        self._version = 0
        self._indexes: dict[tuple[type[Any], str], tuple[Rows, dict[object, list[Any]]]] = {}

    # Rows

    def get(self, row: type[R], /, *key: object) -> R | None:
        return _get(self._visible(row), row, key)

    def find(self, row: type[R], /, **equals: object) -> list[R]:
        table = self._visible(row)
        single = [item for item in equals.items() if not isinstance(item[1], OneOf)]
        if single and table is self._tables[row] and len(table) > 64:
            return _matching(self._indexed(row, table, *single[0]), row, equals)
        return _matching(table.values(), row, equals)

    def count(self, row: type[R], /, **equals: object) -> int:
        return len(self.find(row, **equals)) if equals else len(self._visible(row))

    def wrap_names(self, kind: WrapKind) -> list[WrapName]:
        found = self._visible(Wrap).values()
        of_kind = (w for w in found if w.kind is kind)
        return [WrapName(kind.value, w.subject, w.recipient, w.epoch) for w in of_kind]

    def change(self, entry: Entry) -> AbstractContextManager[Transaction]:
        return self._change(entry)

    @contextmanager
    def _change(self, entry: Entry) -> Iterator[Transaction]:
        check_times(entry)
        changes = Changes(placed(entry))
        with self._write():
            under_way = _MemoryTransaction(self._tables, changes)
            self._mine.tables = under_way.tables
            try:
                yield under_way
            finally:
                del self._mine.tables
                under_way.ended = True
            under_way.check_references()
            completed = changes.complete()
            completed.encode()
            for kind, rows in under_way.tables.items():
                if kind is StoredObject:
                    self._note_arrivals(rows, under_way.deleted_keys(kind))
                self._tables[kind] = rows
            self._append(completed)

    def record(self, entry: Entry) -> None:
        check_times(entry)
        with self._write():
            self._append(placed(entry))

    def add_objects(self, objects: Sequence[StoredObject]) -> None:
        if not objects:
            return
        with self._write():
            rows = dict(self._tables[StoredObject])
            for row in objects:
                rows.setdefault((row.id,), row)
            self._note_arrivals(rows, set())
            self._tables[StoredObject] = rows

    def keep_snapshot(self, snapshot: Snapshot) -> None:
        with self._write():
            self._tables[Snapshot] = self._tables[Snapshot] | {key_of(snapshot): snapshot}

    def objects_after(self, cursor: int, limit: int) -> list[tuple[int, StoredObject]]:
        rows, cursors = self._visible(StoredObject), self._cursors
        found: list[tuple[int, StoredObject]] = []
        for place in range(bisect_right(cursors, cursor, key=lambda c: c[0]), len(cursors)):
            number, object_id = cursors[place]
            if len(found) == limit:
                break
            if (object_id,) in rows:
                found.append((number, rows[(object_id,)]))
        return found

    def row_digests(self, row: type[Row], /) -> Iterator[tuple[str, str]]:
        return ((name_of(each), digest(each)) for each in list(self._visible(row).values()))

    @contextmanager
    def at_once(self) -> Iterator[None]:
        with self._writing:
            self._mine.tables, self._mine.log = dict(self._tables), list(self._log)
        try:
            yield
        finally:
            del self._mine.tables, self._mine.log

    def data_version(self) -> int:
        return self._version

    # The journal

    def journal(self, start: int = 0, stop: int | None = None) -> Iterator[LoggedEntry]:
        return iter(getattr(self._mine, "log", self._log)[start:stop])

    def journal_size(self) -> int:
        return self._frontier.size

    def journal_tree(self) -> Frontier:
        return self._frontier.copy()

    def expire(self, indices: Sequence[int], tombstones: Sequence[bytes], entry: Entry) -> None:
        check_times(entry)
        with self._write():
            expired = list(zip(indices, tombstones, strict=True))
            for number, _ in expired:
                if not 0 <= number < len(self._log):
                    raise NotFound(N_("the journal has no entry {number}"), number=number)
            for number, tombstone in expired:
                kept = self._log[number].leaf
                self._log[number] = LoggedEntry(number, kept, None, None, tombstone)
            self._append(entry)

    def checkpoints(self) -> list[CheckpointRow]:
        return list(self._checkpoints)

    def add_checkpoint(self, checkpoint: CheckpointRow) -> None:
        with self._write():
            self._checkpoints.append(checkpoint)

    # The file itself

    def check(self) -> list[str]:
        return []

    def copy_keys(self) -> int:
        """There is no file to copy."""
        return 0

    @contextmanager
    def copied(self) -> Iterator[None]:
        """There is none, and nothing that a lost file could take along."""
        yield None

    def forget(self) -> None:
        """What was deleted is gone already, but for what snapshots hold of it."""
        with self._write():
            self._tables[Snapshot] = {}

    def close(self) -> None:
        """Nothing to close."""

    def _visible(self, kind: type[Any]) -> Rows:
        """The table as this thread sees it: with its own change under way, if it has one."""
        mine: dict[type[Any], Rows] = getattr(self._mine, "tables", {})
        return mine.get(kind, self._tables[kind])

    def _indexed(self, kind: type[Any], table: Rows, name: str, value: object) -> list[Any]:
        """The rows with that value in one column, by an index made when first needed."""
        rows, index = self._indexes.get((kind, name), ({}, {}))
        if rows is not table:
            index = {}
            for row in table.values():
                index.setdefault(_column(row, name), []).append(row)
            self._indexes[(kind, name)] = (table, index)
        return index.get(value, [])

    @contextmanager
    def _write(self) -> Iterator[None]:
        if hasattr(self._mine, "tables"):
            raise RuntimeError("a change is under way in this thread: use its transaction")
        with self._writing:
            yield
            self._version += 1

    def _append(self, entry: Entry) -> None:
        salt, body = new_salt(), entry.encode()
        hashed = leaf(salt, body)
        self._log.append(LoggedEntry(len(self._log), hashed, salt, body))
        self._frontier.append(hashed)

    def _note_arrivals(self, rows: Rows, deleted: set[Key]) -> None:
        """Give new objects their cursors; one deleted and added again arrives again."""
        known = self._tables[StoredObject]
        if deleted:
            self._cursors = [(c, name) for c, name in self._cursors if (name,) not in deleted]
        for key in rows:
            if key not in known or key in deleted:
                self._last_cursor += 1
                self._cursors.append((self._last_cursor, str(key[0])))


class _MemoryTransaction:
    """The `Transaction` port of `MemoryStore`; usable only inside its block."""

    def __init__(self, committed: dict[type[Any], Rows], changes: Changes) -> None:
        self._committed, self._changes = committed, changes
        self.tables: dict[type[Any], Rows] = {}
        self.ended = False
        self._written: dict[tuple[type[Any], Key], None] = {}
        self._deleted: dict[tuple[type[Any], Key], None] = {}

    def get(self, row: type[R], /, *key: object) -> R | None:
        return _get(self._table(row), row, key)

    def find(self, row: type[R], /, **equals: object) -> list[R]:
        return _matching(self._table(row).values(), row, equals)

    def put(self, row: Row) -> None:
        check_times(row)
        table, key = self._own(type(row)), key_of(row)
        self._check_unique(table, row)
        existed = key in table
        self._write(row, table, key)
        self._changes.written(row, existed)

    def add(self, row: Row) -> None:
        check_times(row)
        table, key = self._own(type(row)), key_of(row)
        if key in table:
            raise Conflict(
                N_("this {kind} exists already"),
                hint=N_("somebody was faster: look at what is there and try again"),
                kind=type(row).__name__,
            )
        self._check_unique(table, row)
        self._write(row, table, key)
        self._changes.written(row, existed=False)

    def delete(self, row: Row) -> None:
        kind, key = type(row), key_of(row)
        if self._own(kind).pop(key, None) is not None:
            self._deleted[kind, key] = None
            self._changes.deleted(row)

    def note(self, **details: Any) -> None:
        self._check_open()
        self._changes.note(**details)

    def check_references(self) -> None:
        """Whatever refers to a row finds it when the change ends; `Conflict` otherwise."""
        now = {**self._committed, **self.tables}
        gone = {(kind, key) for kind, key in self._deleted if key not in now[kind]}
        for kind, shape in SHAPES.items():
            for column, target in shape.refers:
                # Rows written may refer to nothing; any row may refer to what was deleted.
                lost = any(lost is target for lost, _ in gone)
                keys = now[kind] if lost else [k for w, k in self._written if w is kind]
                for value in (getattr(now[kind][k], column) for k in keys if k in now[kind]):
                    if value is not None and (value,) not in now[target]:
                        raise _constraint()

    def deleted_keys(self, kind: type[Any]) -> set[Key]:
        """Keys of that kind that were deleted, whether or not they were added again."""
        return {key for deleted, key in self._deleted if deleted is kind}

    def _write(self, row: Row, table: Rows, key: Key) -> None:
        table[key] = row
        self._written[type(row), key] = None

    def _table(self, kind: type[Any]) -> Rows:
        self._check_open()
        return self.tables.get(kind, self._committed[kind])

    def _own(self, kind: type[Any]) -> Rows:
        """The copy that this change works on."""
        table = self._table(kind)
        return self.tables.setdefault(kind, table if kind in self.tables else dict(table))

    def _check_unique(self, table: Rows, row: Row) -> None:
        for columns in SHAPES[type(row)].unique:
            values = [getattr(row, column) for column in columns]
            for key, other in table.items():
                if key != key_of(row) and [getattr(other, c) for c in columns] == values:
                    raise _constraint()

    def _check_open(self) -> None:
        if self.ended:
            raise RuntimeError("this change has ended")


def _get(table: Rows, kind: type[R], key: Key) -> R | None:
    if len(key) != len(SHAPES[kind].key):
        raise ValueError(f"{kind.__name__} is named by {SHAPES[kind].key}")
    found: R | None = table.get(key)
    return found


def _matching(rows: Any, kind: type[R], equals: dict[str, object]) -> list[R]:
    for name in equals:
        if name not in kind.__dataclass_fields__:
            raise TypeError(f"{kind.__name__} has no column {name}")
    wanted = [
        (name, frozenset(value.values) if isinstance(value, OneOf) else (value,))
        for name, value in equals.items()
    ]
    return [r for r in rows if all(getattr(r, name) in values for name, values in wanted)]


def _column(row: Any, name: str) -> object:
    try:
        return getattr(row, name)
    except AttributeError as error:
        raise TypeError(f"{type(row).__name__} has no column {name}") from error


def _constraint() -> Conflict:
    return Conflict(
        N_("such a row exists already, or the row it refers to does not"),
        hint=N_("look at what is there and try again"),
    )
