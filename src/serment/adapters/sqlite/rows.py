"""Rows of `core.records.vault` to columns and back; the SQL that reads and writes one kind.

Times are integer microseconds since 1970 UTC, enums their values, tuples JSON lists. Column names
come from the row types alone, never from a caller.
"""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Union, get_args, get_origin, get_type_hints

from serment.adapters.sqlite.failures import damaged
from serment.core.records.rows import SHAPES, from_micros, to_micros
from serment.core.records.vault import Row
from serment.ports import OneOf

Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: how its values are stored (None stays None) and read back."""

    name: str
    store: Convert
    load: Convert


class Table:
    """The statements of one kind of row, and its conversions."""

    def __init__(self, kind: type[Any]) -> None:
        shape = SHAPES[kind]
        hints = get_type_hints(kind)
        self.kind, self.name = kind, shape.table
        self.columns = [_column(field.name, hints[field.name]) for field in fields(kind)]
        self._by_name = {column.name: column for column in self.columns}
        self._loads = [(n, c.load) for n, c in enumerate(self.columns) if c.load is not _same]
        self._key = [self._by_name[name] for name in shape.key]
        self.key_places = [self.columns.index(column) for column in self._key]
        names = ", ".join(_quoted(c.name) for c in self.columns)
        marks = ", ".join("?" for _ in self.columns)
        target = ", ".join(_quoted(c.name) for c in self._key)
        rest = [_quoted(c.name) for c in self.columns if c not in self._key]
        update = ", ".join(f"{name} = excluded.{name}" for name in rest)
        this = " AND ".join(f"{_quoted(c.name)} = ?" for c in self._key)
        self.select = f"SELECT {names} FROM {self.name}"
        self.insert = f"INSERT INTO {self.name} ({names}) VALUES ({marks})"
        self.ignore = f"{self.insert} ON CONFLICT ({target}) DO NOTHING"
        self.upsert = f"{self.insert} ON CONFLICT ({target}) DO UPDATE SET {update}"
        self.get = f"{self.select} WHERE {this}"
        self.exists = f"SELECT 1 FROM {self.name} WHERE {this}"
        self.delete = f"DELETE FROM {self.name} WHERE {this}"

    def key(self, values: Iterable[object]) -> list[Any]:
        """The stored form of a key given as values."""
        return [column.store(v) for column, v in zip(self._key, values, strict=True)]

    def key_of(self, row: Row) -> list[Any]:
        return [column.store(getattr(row, column.name)) for column in self._key]

    def encode(self, row: Row) -> list[Any]:
        return [column.store(getattr(row, column.name)) for column in self.columns]

    def decode(self, values: Iterable[Any]) -> Any:
        """The row of a line read in the order of `select`; `IntegrityError` if it makes none."""
        row = list(values)
        try:
            for place, load in self._loads:
                if row[place] is not None:
                    row[place] = load(row[place])
            return self.kind(*row)
        except (ValueError, TypeError, OverflowError) as error:
            raise damaged() from error

    def where(self, equals: dict[str, object]) -> tuple[str, list[Any]]:
        """The condition that named columns have these values: None matches NULL, `OneOf` any."""
        terms, values = list[str](), list[Any]()
        for name, value in equals.items():
            column = self._by_name.get(name)
            if column is None:
                raise TypeError(f"{self.kind.__name__} has no column {name}")
            if isinstance(value, OneOf):
                terms.append(f"{_quoted(name)} IN (SELECT value FROM json_each(?))")
                values.append(json.dumps([column.store(each) for each in value.values]))
                continue
            terms.append(f"{_quoted(name)} IS ?" if value is None else f"{_quoted(name)} = ?")
            values.append(column.store(value))
        return (" WHERE " + " AND ".join(terms) if terms else ""), values


def _quoted(name: str) -> str:
    return f'"{name}"'


def _column(name: str, hint: Any) -> Column:
    if get_origin(hint) in (Union, types.UnionType):
        hint = next(a for a in get_args(hint) if a is not type(None))
    store, load = _conversion(hint)
    return Column(name, lambda value: None if value is None else store(value), load)


def _conversion(hint: Any) -> tuple[Convert, Convert]:
    if get_origin(hint) is tuple:
        return _tuple_conversion(get_args(hint)[0])
    if hint is datetime:
        return to_micros, from_micros
    if hint is bool:
        return int, bool
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return lambda value: hint(value).value, hint
    return _same, _same


def _tuple_conversion(item: Any) -> tuple[Convert, Convert]:
    def store(values: Any) -> str:
        return json.dumps([str(value) for value in values])

    def load(text: Any) -> Any:
        return tuple(item(value) for value in json.loads(text))

    return store, load


def _same(value: Any) -> Any:
    return value


TABLES: dict[type[Any], Table] = {kind: Table(kind) for kind in SHAPES}
