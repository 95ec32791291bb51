"""Holds every row of the database against the journal: whether somebody changed, added or removed one
behind Serment's back, without any key.

The journal says what each row's digest is; whether the journal is whole is for `journal verify` to
say. In memory is a part of the rows at a time.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from dataclasses import dataclass, field

from serment.app.batches import batches
from serment.app.protect.mending import REPLAYED
from serment.core.journal.log import entry_of
from serment.core.journal.rows import BROUGHT, NEEDED, TOLD, brought, told_by
from serment.core.records.brought import Brought
from serment.core.records.rows import SHAPES, name_of
from serment.core.records.vault import Setting, StoredObject
from serment.errors import N_, FormatError
from serment.ports import OneOf, Store

AT_ONCE = 500_000  # rows compared in one pass over the journal
ENVELOPES_AT_ONCE = 100

CHANGED = N_("the row {row} of {table} is not what the journal tells of")
ADDED = N_("no entry of the journal tells of the row {row} of {table}")
REMOVED = N_("the row {row} of {table} is gone, and no entry of the journal tells of that")
OTHER_OBJECTS = N_("the objects of the envelope {row} are not those that the journal tells of")


@dataclass(frozen=True, slots=True, order=True)
class Odd:
    """A row that is not as the journal says; `message` is a gettext id with both fields. `told`: the
    digest that it should have, where one is told of and the copy of the keys may have the row."""

    table: str
    row: str
    message: str
    told: str = field(default="", compare=False)


@dataclass(slots=True)
class Compared:
    """How many rows were held against the journal, and which of them are odd."""

    rows: int = 0
    odd: list[Odd] = field(default_factory=list)


def compare(store: Store, *, objects: bool = True) -> Compared:
    """Recompute every row's digest, and of each reception what it brought; without `objects` where
    there are no rows of them: in the copy of the keys.

    Raises:
        FormatError: an entry tells of rows in a way this program does not know.
    """
    found = Compared()
    with store.at_once():
        passes = 1 + sum(store.count(kind) for kind in NEEDED) // AT_ONCE
        for part in range(passes):
            expected = _expected(store, part, passes)
            for kind in TOLD if objects else NEEDED:
                _compare_table(store, kind, expected, part, passes, found)
            came = expected.pop(BROUGHT, {})
            if objects:
                _compare_objects(store, came, found)
            else:
                _leave_out(expected)
            for table, rows in expected.items():
                gone = ((name, digest) for name, digest in rows.items() if digest is not None)
                found.odd += [Odd(table, name, REMOVED, digest) for name, digest in gone]
    found.odd.sort()
    return found


_Rows = dict[str, str | None]  # by name: its digest, None once deleted


def _expected(store: Store, part: int, passes: int) -> dict[str, _Rows]:
    """What the last entry that tells of each row says, by table."""
    expected: dict[str, _Rows] = defaultdict(dict)
    for row in store.journal():
        try:
            entry = entry_of(row)
        except FormatError:
            continue  # `journal verify` says so, and the rows it told of are odd
        for told in told_by(entry) if entry is not None else ():
            if _in_part(told.name, part, passes):
                expected[told.table][told.name] = told.digest
    return expected


def _leave_out(expected: dict[str, _Rows]) -> None:
    """What the copy of the keys never has: rows of objects, and which packs have all of theirs."""
    expected.pop(SHAPES[StoredObject].table, None)
    expected.get(SHAPES[Setting].table, {}).pop(name_of(Setting(REPLAYED, b"")), None)


def _compare_table(
    store: Store,
    kind: type,
    expected: dict[str, _Rows],
    part: int,
    passes: int,
    found: Compared,
) -> None:
    table = SHAPES[kind].table
    rows = expected.pop(table, {})
    for name, digest in store.row_digests(kind):
        if not _in_part(name, part, passes):
            continue
        found.rows += 1
        told = rows.pop(name, None)
        if told is None and kind in NEEDED:
            found.odd.append(Odd(table, name, ADDED))
        elif told is not None and told != digest:
            found.odd.append(Odd(table, name, CHANGED, told))
    if rows:
        expected[table] = rows


def _compare_objects(store: Store, expected: _Rows, found: Compared) -> None:
    for some in batches(expected, ENVELOPES_AT_ONCE):
        came: dict[str, Brought] = {envelope: Brought() for envelope in some}
        for row in store.find(StoredObject, envelope=OneOf(some)):
            came[row.envelope].append(row.sha256)
        for envelope, each in came.items():
            if brought(each.size, each.root()) != expected[envelope]:
                found.odd.append(Odd(SHAPES[StoredObject].table, envelope, OTHER_OBJECTS))


def _in_part(name: str, part: int, passes: int) -> bool:
    return zlib.crc32(name.encode("utf-8", "surrogateescape")) % passes == part
