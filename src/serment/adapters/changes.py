"""What a transaction adds to its journal entry: the rows it wrote and deleted, and its notes.

Shared by every store, so that all journal the same; decides nothing about what may be changed.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Any

from serment.core.journal.entries import Entry
from serment.core.journal.rows import DELETED, MADE, ROWS
from serment.core.records.rows import SHAPES, digest, key_of, name_of
from serment.core.records.vault import Row, Wrap

_FILLED_IN = (MADE, DELETED, ROWS)
_Name = tuple[type[Row], tuple[object, ...]]


class Changes:
    """Collects while the transaction goes on. A row that it made and deleted again is not
    mentioned: nobody can ever have seen it; a wrap that is replaced is one made."""

    def __init__(self, entry: Entry) -> None:
        for name in _FILLED_IN:
            _refuse(name in entry.details, name)
        self._entry = entry
        self._notes: dict[str, Any] = {}
        self._before: dict[_Name, bool] = {}  # of each row touched: whether it was there
        self._after: dict[_Name, Row] = {}  # in the order in which they were written last
        self._gone: dict[_Name, Row] = {}

    def written(self, row: Row, existed: bool) -> None:
        """`existed`: a row of that name was there just before."""
        name = (type(row), key_of(row))
        self._before.setdefault(name, existed)
        self._gone.pop(name, None)
        self._after[name] = row

    def deleted(self, row: Row) -> None:
        """A row that was there was deleted."""
        name = (type(row), key_of(row))
        self._after.pop(name, None)
        if self._before.setdefault(name, True):
            self._gone[name] = row

    def note(self, **details: Any) -> None:
        for name in details:
            _refuse(name in _FILLED_IN, name)
        self._notes.update(details)

    def complete(self) -> Entry:
        """The entry as it goes into the journal; without a list where there is nothing to tell."""
        made = [row for row in self._after.values() if isinstance(row, Wrap)]
        gone = [row for row in self._gone.values() if isinstance(row, Wrap)]
        rows: dict[str, Any] = {}
        for row in self._after.values():
            if not isinstance(row, Wrap):
                rows.setdefault(SHAPES[type(row)].table, {})[name_of(row)] = digest(row)
        for row in self._gone.values():
            if not isinstance(row, Wrap):
                rows.setdefault(SHAPES[type(row)].table, {})[name_of(row)] = None
        if made:
            rows[SHAPES[Wrap].table] = list(map(digest, made))
        told = {MADE: list(map(_wrap, made)), DELETED: list(map(_wrap, gone)), ROWS: rows}
        present = {name: each for name, each in told.items() if each}
        return self._entry.with_details(**self._notes, **present)


def check_times(row: Row | Entry) -> None:
    """Raise `ValueError` for a time without a time zone: it would mean something else elsewhere."""
    for field in fields(row):
        value = getattr(row, field.name)
        if isinstance(value, datetime) and value.tzinfo is None:
            raise ValueError(f"{type(row).__name__}.{field.name} has no time zone")


def _wrap(wrap: Wrap) -> list[str | int]:
    return [wrap.kind.value, wrap.subject, wrap.recipient, wrap.epoch]


def _refuse(wrong: bool, name: str) -> None:
    if wrong:
        raise ValueError(f"{name} is filled in by the store")
