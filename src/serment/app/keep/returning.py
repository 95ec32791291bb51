"""Takes back from the second copy of the keys each row that the database has damaged or lost.

Only a row whose digest is the one that the journal tells of comes back: what was deleted, and said so,
does not. Neither do rows that say to whom things are sealed and who may come in: the next session that
opens has to find them as somebody left them, stop the circle, and so tell what was sealed meanwhile
(`protect.believing`). Which rows are odd `rows` decides; rows of objects come back from their packs (`objects`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from serment.app.batches import batches
from serment.app.house import House
from serment.app.keep.rows import Odd
from serment.core.journal.entries import Entry, EventKind
from serment.core.journal.rows import NEEDED
from serment.core.records.rows import SHAPES, digest, name_of
from serment.core.records.vault import Circle, Device, Member, Row, Setting
from serment.errors import N_, FormatError, IntegrityError, NotFound, Remark, SermentError
from serment.ports import OneOf, Store

AT_ONCE = 500
KEPT_AS_FOUND = (Setting, Member, Circle, Device)
COME_BACK = tuple(kind for kind in NEEDED if kind not in KEPT_AS_FOUND)
_NUMBERS = {"epoch", "number"}  # columns of keys that are no text


def take_back(house: House, odd: Sequence[Odd]) -> list[Remark]:
    """Put the rows back that the copy has as the journal tells of them; journalled.

    A row whose place something else has taken (its login, say) stays out, and named.
    """
    wanted = [each for each in odd if each.told]
    if not wanted:
        return []
    with suppress(NotFound, IntegrityError, FormatError), house.store.copied() as copy:
        count = 0 if copy is None else sum(_put(house, row) for row in _right(copy, wanted))
        return [Remark(N_("{count} rows taken back from keys.copy"), count=count)] if count else []
    return []


def _right(copy: Store, wanted: Sequence[Odd]) -> Iterator[Row]:
    """Those of the copy with the digests told of, in an order in which none refers to a later one."""
    for kind in COME_BACK:
        mine = [each for each in wanted if each.table == SHAPES[kind].table]
        for some in batches(mine, AT_ONCE):
            told = {each.row: each.told for each in some}
            with suppress(IntegrityError, FormatError):  # rows of the copy are damaged too
                found = copy.find(kind, **_named(kind, told))
                yield from (row for row in found if told.get(name_of(row)) == digest(row))


def _named(kind: type[Row], names: Iterable[str]) -> dict[str, OneOf]:
    """What the key columns of those rows hold, numbers aside."""
    key = SHAPES[kind].key
    parts = zip(*(name.split("/", len(key) - 1) for name in names), strict=True)
    return {
        column: OneOf(set(values))
        for column, values in zip(key, parts, strict=True)
        if column not in _NUMBERS
    }


def _put(house: House, row: Row) -> bool:
    details = {"what": "row-taken-back", "table": SHAPES[type(row)].table}
    try:
        with house.store.change(
            Entry(EventKind.REPAIRED, house.clock.now(), "doctor", details)
        ) as tx:
            tx.put(row)
    except SermentError:
        return False
    return True
