"""What entries say of the rows of the database: the digest of each row in the last entry that touched it,
and what each reception brought.

Works on entries that were verified before; who holds rows against them is `app.keep.rows`.
Source: docs/decisions/0010-rows-in-the-journal.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from serment.core.journal.entries import Entry, EventKind
from serment.core.records.rows import SHAPES, joined
from serment.core.records.vault import Snapshot, StoredObject, Wrap
from serment.errors import N_, FormatError

MADE, DELETED, ROWS = "wraps_made", "wraps_deleted", "rows"  # filled in by the store
WRAPS = SHAPES[Wrap].table
BROUGHT = "brought"  # no table: the objects of an envelope, by its id
# What entries tell of. Snapshots are sealed, and made again from the rest; of objects entries name
# those only whose state was changed: packs have them all, and `BROUGHT` binds them.
TOLD = tuple(kind for kind in SHAPES if kind is not Snapshot)
NEEDED = tuple(kind for kind in TOLD if kind is not StoredObject)  # every row of it is told of


class Told(NamedTuple):
    """One row as an entry leaves it; None: it was deleted."""

    table: str
    name: str
    digest: str | None


def told_by(entry: Entry) -> Iterator[Told]:
    """The rows that the entry's transaction wrote and deleted, and what receptions brought.

    Raises:
        FormatError: it tells of rows in a way this program does not know.
    """
    try:
        yield from _told(entry)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise FormatError(
            N_("an entry of the journal tells of rows in a way that cannot be read"),
            hint=N_("run `serment journal verify`; a newer Serment may have written it"),
        ) from error


def brought(count: int, root: bytes) -> str:
    """So many objects, with that root over their files' digests (`core.records.brought`)."""
    return f"{count} {root.hex()}"


def _told(entry: Entry) -> Iterator[Told]:
    rows = dict(entry.details.get(ROWS, {}))
    made = entry.details.get(MADE, ())
    for name, digest in zip(made, rows.pop(WRAPS, ()), strict=True):
        yield Told(WRAPS, joined(name), str(digest))
    for name in entry.details.get(DELETED, ()):
        yield Told(WRAPS, joined(name), None)
    for table, found in rows.items():
        for name, digest in found.items():
            yield Told(table, name, None if digest is None else str(digest))
    if entry.kind in _CONCLUSIONS:
        for envelope, came in entry.details.get("envelopes", {}).items():
            yield Told(BROUGHT, envelope, brought(came["objects"], bytes.fromhex(came["root"])))


_CONCLUSIONS = (
    EventKind.RECEPTION_CLOSED,
    EventKind.RECEPTION_INTERRUPTED,
    EventKind.REPAIRED,
)
