"""Looks things up in the journal, newest entry first and never further back than a bound."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from serment.core.journal.entries import Entry, EventKind, LoggedEntry
from serment.core.journal.log import entry_of
from serment.core.records.vault import Envelope
from serment.entrypoints.web.practice.visit import Visit
from serment.errors import FormatError
from serment.ports import Store

AT_ONCE = 1000
FAR_BACK = 100_000  # entries: about a year of a practice
RECEPTIONS = (
    EventKind.RECEPTION_OPENED,
    EventKind.RECEPTION_CLOSED,
    EventKind.RECEPTION_INTERRUPTED,
)


@dataclass(frozen=True, slots=True)
class Numbered:
    """An entry and its place in the log."""

    index: int
    entry: Entry


def newest_first(
    store: Store, *holding: bytes, limit: int = FAR_BACK, stop: int | None = None
) -> Iterator[Numbered]:
    """Entries from the end (or from before `stop`) backwards, at most `limit` rows looked at; only
    those whose text holds one of some bytes, which is quicker than reading each."""
    end = store.journal_size() if stop is None else stop
    floor = max(0, end - limit)
    while end > floor:
        start = max(floor, end - AT_ONCE)
        rows = reversed(list(store.journal(start, end)))
        yield from _readable(row for row in rows if _holds(row, holding))
        end = start


def _holds(row: LoggedEntry, one_of: tuple[bytes, ...]) -> bool:
    body = row.body
    return isinstance(body, bytes) and (not one_of or any(part in body for part in one_of))


def _readable(rows: Iterable[LoggedEntry]) -> Iterator[Numbered]:
    """Without those that expired, and those of a newer version or that somebody changed, which
    `count_unreadable` counts and `verify` finds."""
    for row in rows:
        try:
            entry = entry_of(row)
        except FormatError:
            continue
        if entry is not None:
            yield Numbered(row.index, entry)


def count_unreadable(store: Store, first: int, stop: int) -> int:
    """How many of these entries are there, and say nothing that can be read."""
    rows = [row for row in store.journal(first, stop) if row.body is not None]
    return len(rows) - sum(1 for _ in _readable(rows))


def first_at(store: Store, moment: datetime) -> int:
    """The index of the first entry at or after that moment. One that expired, or that cannot be
    read, counts as written with the next that can."""
    low, high = 0, store.journal_size()
    while low < high:
        middle = (low + high) // 2
        found = next(_readable(store.journal(middle, high)), None)
        if found is None or found.entry.at >= moment:
            high = middle
        else:
            low = found.index + 1
    return low


def last_reception(visit: Visit) -> datetime | None:
    """When something last arrived; None when the last entries do not say."""
    for found in newest_first(visit.store, b'"reception-', limit=10 * AT_ONCE):
        if found.entry.kind in RECEPTIONS:
            return found.entry.at
    return None


def last_of_devices(visit: Visit, devices: list[str]) -> dict[str, datetime]:
    """When each device last sent something; those that never did are absent."""
    missing, last = set(devices), dict[str, datetime]()
    for found in newest_first(visit.store, b'"reception-', limit=10 * AT_ONCE):
        if not missing:
            break
        if found.entry.kind in RECEPTIONS and found.entry.actor in missing:
            missing.discard(found.entry.actor)
            last[found.entry.actor] = found.entry.at
    for device in missing:
        arrived = [envelope.arrived for envelope in visit.store.find(Envelope, device=device)]
        if arrived:
            last[device] = max(arrived)
    return last


def brought(visit: Visit, envelopes: set[str]) -> dict[str, str]:
    """The login of the member who handed over each of these envelopes, as far as entries say."""
    wanted, logins, found = set(envelopes), visit.logins(), dict[str, str]()
    if not wanted:
        return found
    for each in newest_first(visit.store, b'"reception-opened"'):
        envelope = str(each.entry.details.get("envelope", ""))
        if envelope in wanted:
            wanted.discard(envelope)
            found[envelope] = logins.get(each.entry.actor, "")
            if not wanted:
                break
    return found
