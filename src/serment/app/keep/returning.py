"""Takes back from the second copy of the keys each row that the database has damaged or lost.

Only a row whose digest is the one that the journal tells of comes back: what was deleted, and said so,
does not. Where an entry since the copy is gone or damaged, nothing does: it may be the one by which
somebody erased, or replaced a password. Neither do rows that say to whom things are sealed and who may come in: the next session that
opens has to find them as somebody left them, stop the circle, and so tell what was sealed meanwhile
(`protect.believing`). Which rows are odd `rows` decides; rows of objects come back from their packs (`objects`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from serment.app.batches import batches
from serment.app.house import House
from serment.app.keep.rows import Odd
from serment.core.journal.copies import told_of
from serment.core.journal.entries import Entry, EventKind
from serment.core.journal.rows import NEEDED
from serment.core.records.rows import SHAPES, digest, name_of
from serment.core.records.vault import Circle, Device, Member, Row, Setting
from serment.errors import N_, Conflict, FormatError, IntegrityError, NotFound, Remark, SermentError
from serment.ports import OneOf, Store

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
        if copy is None or not _tells_all_since(house.store, copy):
            return []
        count = sum(_put(house, rows) for rows in _right(copy, wanted))
        return [Remark(N_("{count} rows taken back from keys.copy"), count=count)] if count else []
    return []


def _tells_all_since(store: Store, copy: Store) -> bool:
    """Whether the journal goes on from the copy's last entry, and every entry after it can be read."""
    size = copy.journal_size()
    last, same = ([row.leaf for row in each.journal(size - 1, size)] for each in (copy, store))
    since = told_of(store.journal(size), size, store.journal_size())
    return len(last) == 1 and last == same and since is not None


def _right(copy: Store, wanted: Sequence[Odd]) -> Iterator[list[Row]]:
    """Those of the copy with the digests told of, some of one kind at a time, in an order in which none
    refers to a later one."""
    for kind in COME_BACK:
        mine = [each for each in wanted if each.table == SHAPES[kind].table]
        for some in batches(mine):
            told = {each.row: each.told for each in some}
            with suppress(IntegrityError, FormatError):  # rows of the copy are damaged too
                found = copy.find(kind, **_named(kind, told))
                yield [row for row in found if told.get(name_of(row)) == digest(row)]


def _named(kind: type[Row], names: Iterable[str]) -> dict[str, OneOf]:
    """What the key column that tells most of those rows apart holds: of several together a database
    would look up each combination."""
    key = SHAPES[kind].key
    parts = zip(*(name.split("/", len(key) - 1) for name in names), strict=True)
    held = {column: set(values) for column, values in zip(key, parts, strict=True)}
    column = max(held.keys() - _NUMBERS, key=lambda each: (len(held[each]), each))
    return {column: OneOf(held[column])}


def _put(house: House, rows: Sequence[Row]) -> int:
    """How many of these rows of one kind were written; where one stands in the way of the others,
    they are tried by halves."""
    if not rows:
        return 0
    details = {"what": "row-taken-back", "table": SHAPES[type(rows[0])].table, "count": len(rows)}
    try:
        with house.store.change(
            Entry(EventKind.REPAIRED, house.clock.now(), "doctor", details)
        ) as tx:
            for row in rows:
                tx.put(row)
    except Conflict:
        half = len(rows) // 2
        return _put(house, rows[:half]) + _put(house, rows[half:]) if half else 0
    except SermentError:  # the disk is full, say: they stay named
        return 0
    return len(rows)
