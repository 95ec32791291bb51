"""What holds for the second copy of the keys: how often it is written, and when a row or an entry of
the earlier one is worth more than the database's.

Works on rows of the log as they were read; who reads the files is an adapter's business.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta

from serment.core.journal.entries import LoggedEntry
from serment.core.journal.log import is_what_was_written, parse_entry
from serment.core.journal.rows import told_by
from serment.errors import N_, FormatError

# A running server writes it at least so often, and whenever it stops: wraps that were deleted so long
# ago may still stand in it (docs/format.md, "Deleting").
COPY_EVERY = timedelta(hours=1)

# `what` of the entries about a database that was put aside for the copy, and about its deletion.
RESTORED, FORGOTTEN = "keys-restored", "damaged-forgotten"

NEWER = N_("the second copy of the keys has {count} more entries than the database")
ANOTHER = N_("the second copy of the keys has another journal than the database")
KEPT = N_(
    "an older database may have taken the place of a newer one: keep keys.copy aside, run "
    "`serment journal verify`, call your DPO"
)

RowName = tuple[str, str]  # table, name


def told_of(
    entries: Iterable[LoggedEntry], start: int, stop: int
) -> dict[RowName, str | None] | None:
    """The last digest that the entries from number `start` on, below `stop`, tell of each row; None
    when one of them is gone or cannot be read: then nobody knows which rows were deleted or replaced
    on purpose."""
    told: dict[RowName, str | None] = {}
    for row in entries:
        one = _told(row)
        if one is None or row.index != start:
            return None
        told |= one
        start += 1
    return told if start == stop else None


def _told(row: LoggedEntry) -> dict[RowName, str | None] | None:
    if row.body is None and row.tombstone is not None:
        return {}  # expired: then it told of no row
    if row.body is None or not is_what_was_written(row):
        return None
    try:
        return {(one.table, one.name): one.digest for one in told_by(parse_entry(row.body))}
    except FormatError:
        return None


def digests_of(
    entries: Iterable[LoggedEntry], wanted: Collection[RowName]
) -> dict[RowName, str | None]:
    """What the last entry that can be read tells of each row that is wanted."""
    told: dict[RowName, str | None] = {}
    for row in entries:
        one = _told(row) or {}
        told |= {name: one[name] for name in one.keys() & set(wanted)}
    return told


def is_lost(earlier: LoggedEntry, now: LoggedEntry | None) -> bool:
    """Whether the database has no more what the earlier copy has of this entry: the row is gone, or
    is not what was written."""
    if not is_what_was_written(earlier):
        return False
    if now is None:
        return True
    if now.body is None and now.tombstone is not None and now.leaf == earlier.leaf:
        return False  # its retention has ended
    return not is_what_was_written(now)
