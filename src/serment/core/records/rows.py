"""What a row is called, which columns must not occur twice or refer to others, and its digest.

One table for every store; how rows are kept is the adapters' business. The digest of each row stands
in the last journal entry that touched it (docs/decisions/0010-rows-in-the-journal.md).
"""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from serment.core.records.vault import (
    Circle,
    Compartment,
    Device,
    Envelope,
    IdentityHeader,
    Member,
    Patient,
    Row,
    Setting,
    Snapshot,
    StoredObject,
    Wrap,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Shape:
    """The table of a kind of row, the columns that name one, other sets of columns that are unique,
    and references: column -> kind of row that must exist under that id when the transaction ends
    (or None)."""

    table: str
    key: tuple[str, ...]
    unique: tuple[tuple[str, ...], ...] = ()
    refers: tuple[tuple[str, type[Row]], ...] = ()


SHAPES: dict[type[Any], Shape] = {
    Setting: Shape("setting", ("key",)),
    Member: Shape("member", ("id",), unique=(("login",),)),
    Circle: Shape("circle", ("id", "epoch")),
    Device: Shape("device", ("id",)),
    Wrap: Shape("wrap", ("kind", "subject", "recipient", "epoch")),
    Patient: Shape("patient", ("id",)),
    Compartment: Shape("compartment", ("id",), (("patient", "circle"),), (("patient", Patient),)),
    Envelope: Shape("envelope", ("id",), (), (("patient", Patient), ("compartment", Compartment))),
    IdentityHeader: Shape("identity_header", ("envelope", "number"), (), (("envelope", Envelope),)),
    # Not bound to its envelope: rows are rebuilt from packs that may know more than the database.
    StoredObject: Shape("stored_object", ("id",)),
    Snapshot: Shape("snapshot", ("circle",)),
}


_COLUMNS = {kind: tuple(field.name for field in fields(kind)) for kind in SHAPES}


def key_of(row: Row) -> tuple[object, ...]:
    """The values of the columns that name the row."""
    return tuple(getattr(row, column) for column in SHAPES[type(row)].key)


def to_micros(value: datetime) -> int:
    """Microseconds since 1970 UTC; `ValueError` for a time without a time zone."""
    if value.tzinfo is None:
        raise ValueError("a time without a time zone")
    return (value - _EPOCH) // _MICROSECOND


def from_micros(value: int) -> datetime:
    """The time so many microseconds after 1970 UTC."""
    return _EPOCH + timedelta(microseconds=value)


def stored(value: Any) -> Any:
    """A value as every store keeps it: None, an integer, a text or bytes. Times are microseconds,
    tuples JSON lists."""
    if value is None or type(value) in (bytes, str, int):
        return value
    match value:
        case bool():
            return int(value)
        case datetime():
            return to_micros(value)
        case StrEnum():
            return value.value
        case tuple():
            return json.dumps([str(each) for each in value])
    return value


def name_of(row: Row) -> str:
    """What the journal calls the row inside its table: the values of its key."""
    return joined(map(stored, key_of(row)))


def joined(key: Iterable[object]) -> str:
    """A key of stored values as one text; only its last value may be a number."""
    return "/".join(map(str, key))


def digest(row: Row) -> str:
    """`digest_of` the row's stored values."""
    return digest_of(stored(getattr(row, column)) for column in _COLUMNS[type(row)])


def digest_of(values: Iterable[object]) -> str:
    """SHA-256 over the columns in their order, base64url without padding (docs/format.md): of each
    its type, its length and its bytes. Of whatever a database may hold, also what no row is made
    of."""
    parts: list[bytes] = []
    for value in values:
        if isinstance(value, bytes):
            kind, raw = b"b", value
        elif isinstance(value, str):
            kind, raw = b"t", value.encode("utf-8", "surrogateescape")
        elif isinstance(value, int):
            kind, raw = b"i", b"%d" % value
        elif value is None:
            kind, raw = b"n", b""
        else:
            kind, raw = b"?", repr(value).encode()
        parts += (kind, len(raw).to_bytes(8, "big"), raw)
    found = hashlib.sha256(b"".join(parts)).digest()
    return urlsafe_b64encode(found)[:-1].decode()
