"""What a transaction adds to its journal entry: the wraps it made and deleted, and its notes.

Shared by every store, so that all journal the same; decides nothing about what may be changed.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Any

from serment.core.journal.entries import Entry
from serment.core.records.vault import Row, Wrap

MADE = "wraps_made"
DELETED = "wraps_deleted"
WrapName = tuple[str, str, str, int]


class Changes:
    """Collects while the transaction goes on. What it made and deleted again is not mentioned:
    nobody can ever have held it; a wrap that is replaced is one made."""

    def __init__(self, entry: Entry) -> None:
        for name in (MADE, DELETED):
            _refuse(name in entry.details, name)
        self._entry = entry
        self._notes: dict[str, Any] = {}
        self._made: dict[WrapName, bool] = {}  # whether it replaced one that was there before
        self._deleted: dict[WrapName, None] = {}

    def written(self, row: Row, existed: bool) -> None:
        """`existed`: a row of that name was there just before."""
        if isinstance(row, Wrap):
            name = _name(row)
            before = name in self._deleted or (existed and self._made.get(name, True))
            self._deleted.pop(name, None)
            self._made[name] = before

    def deleted(self, row: Row) -> None:
        """A row that was there was deleted."""
        if isinstance(row, Wrap):
            name = _name(row)
            if self._made.pop(name, True):
                self._deleted[name] = None

    def note(self, **details: Any) -> None:
        for name in details:
            _refuse(name in (MADE, DELETED), name)
        self._notes.update(details)

    def complete(self) -> Entry:
        """The entry as it goes into the journal; without a list of wraps where there is none."""
        wraps = {MADE: list(self._made), DELETED: list(self._deleted)}
        lists = {name: [list(wrap) for wrap in found] for name, found in wraps.items() if found}
        return self._entry.with_details(**self._notes, **lists)


def check_times(row: Row | Entry) -> None:
    """Raise `ValueError` for a time without a time zone: it would mean something else elsewhere."""
    for field in fields(row):
        value = getattr(row, field.name)
        if isinstance(value, datetime) and value.tzinfo is None:
            raise ValueError(f"{type(row).__name__}.{field.name} has no time zone")


def _name(wrap: Wrap) -> WrapName:
    return (wrap.kind.value, wrap.subject, wrap.recipient, wrap.epoch)


def _refuse(wrong: bool, name: str) -> None:
    if wrong:
        raise ValueError(f"{name} is filled in by the store")
