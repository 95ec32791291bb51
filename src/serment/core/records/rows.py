"""Which columns name a row, which must not occur twice, and which refer to another row.

One table for every store; how rows are kept is the adapters' business.
"""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Shape:
    """The columns that name a row, other sets of columns that are unique, and references:
    column -> kind of row that must exist under that id when the transaction ends (or None)."""

    key: tuple[str, ...]
    unique: tuple[tuple[str, ...], ...] = ()
    refers: tuple[tuple[str, type[Row]], ...] = ()


SHAPES: dict[type[Any], Shape] = {
    Setting: Shape(("key",)),
    Member: Shape(("id",), unique=(("login",),)),
    Circle: Shape(("id", "epoch")),
    Device: Shape(("id",)),
    Wrap: Shape(("kind", "subject", "recipient", "epoch")),
    Patient: Shape(("id",)),
    Compartment: Shape(("id",), (("patient", "circle"),), (("patient", Patient),)),
    Envelope: Shape(("id",), (), (("patient", Patient), ("compartment", Compartment))),
    IdentityHeader: Shape(("envelope", "number"), (), (("envelope", Envelope),)),
    # Not bound to its envelope: rows are rebuilt from packs that may know more than the database.
    StoredObject: Shape(("id",)),
    Snapshot: Shape(("circle",)),
}


def key_of(row: Row) -> tuple[object, ...]:
    """The values of the columns that name the row."""
    return tuple(getattr(row, column) for column in SHAPES[type(row)].key)
