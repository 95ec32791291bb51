"""Deletes the content of accesses whose retention has ended; their leaves and a tombstone stay.

What expires, and when, is `core.journal.retention`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from serment.core.access.rights import Act, check_may
from serment.core.crypto.secret import Seed
from serment.core.journal.checkpoints import origin
from serment.core.journal.entries import Entry, EventKind, LoggedEntry
from serment.core.journal.log import glance_at, parse_entry
from serment.core.journal.retention import (
    DEFAULT_MONTHS,
    MAX_MONTHS,
    MIN_MONTHS,
    expired_before,
    expires,
)
from serment.core.journal.tombstones import make_tombstone
from serment.core.records.vault import Member, Setting
from serment.errors import FormatError
from serment.ports import Clock, Store

MONTHS = "journal-months"  # setting
AT_ONCE = 10_000  # rows looked at, and at most as many expired, in one transaction


def months_kept(store: Store) -> int:
    """How long accesses are kept, in months: what the practice chose."""
    chosen = store.get(Setting, MONTHS)
    months = int(chosen.value) if chosen is not None and chosen.value.isdigit() else DEFAULT_MONTHS
    return min(max(months, MIN_MONTHS), MAX_MONTHS)


def keep_for(store: Store, clock: Clock, member: Member, months: int) -> None:
    """Choose how long accesses are kept. What has expired by that is emptied within a day.

    Raises:
        AccessDenied: the member is neither an administrator nor the DPO.
        UsageError: fewer than 6 or more than 36 months.
    """
    check_may(member.roles, Act.RETENTION)
    now = clock.now()
    expired_before(now, months)
    details = {"count": months, "before": months_kept(store)}
    with store.change(Entry(EventKind.RETENTION_CHANGED, now, member.id, details)) as tx:
        tx.put(Setting(MONTHS, str(months).encode()))


def expire(store: Store, clock: Clock, key: Seed, vault: str, actor: str = "worker") -> int:
    """Expire what is due, ten thousand rows a transaction; how many entries expired."""
    now = clock.now()
    limit, log = expired_before(now, months_kept(store)), origin(vault)
    total = 0
    for due in _due(store, limit):
        tombstone = make_tombstone(due, log, now.date(), key)
        details = {
            "count": len(due),
            "first": due[0].index,
            "last": due[-1].index,
            "before": limit.isoformat(),
        }
        indices = [row.index for row in due]
        entry = Entry(EventKind.EXPIRED, now, actor, details)
        store.expire(indices, [tombstone] * len(due), entry)
        total += len(due)
    return total


def _due(store: Store, limit: datetime) -> Iterator[list[LoggedEntry]]:
    """What has expired, window by window, up to the first window that has nothing so old."""
    size = store.journal_size()
    for start in range(0, size, AT_ONCE):
        rows = list(store.journal(start, min(start + AT_ONCE, size)))
        old = [row for row in rows if row.body is not None and _is_before(row.body, limit)]
        due = [row for row in old if row.body is not None and _expires(row.body)]
        if due:
            yield due
        if not old and any(row.body is not None for row in rows):
            return


def _is_before(body: bytes, limit: datetime) -> bool:
    found = glance_at(body)
    try:
        return found is not None and datetime.fromisoformat(found.at.decode()) < limit
    except (ValueError, TypeError):
        return False


def _expires(body: bytes) -> bool:
    try:
        return expires(parse_entry(body))
    except FormatError:
        return False
