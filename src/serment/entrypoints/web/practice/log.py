"""Looks things up in the journal, newest entry first and never further back than a bound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from serment.core.journal.entries import Entry, EventKind
from serment.core.journal.log import entry_of
from serment.core.records.vault import Envelope, Member, Role
from serment.entrypoints.web.practice.visit import Visit
from serment.entrypoints.web.views import Reader
from serment.errors import FormatError
from serment.ports import Store

AT_ONCE = 1000
FAR_BACK = 100_000  # entries: about a year of a practice
RECEPTIONS = (
    EventKind.RECEPTION_OPENED,
    EventKind.RECEPTION_CLOSED,
    EventKind.RECEPTION_INTERRUPTED,
)
SAME_VISIT = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Numbered:
    """An entry and its place in the log."""

    index: int
    entry: Entry


def newest_first(
    store: Store, holding: bytes = b"", limit: int = FAR_BACK, stop: int | None = None
) -> Iterator[Numbered]:
    """Entries from the end (or from before `stop`) backwards, at most `limit` rows looked at;
    only those whose text holds some bytes, which is quicker than reading each."""
    end = store.journal_size() if stop is None else stop
    floor = max(0, end - limit)
    while end > floor:
        start = max(floor, end - AT_ONCE)
        for row in reversed(list(store.journal(start, end))):
            if row.body is None or holding not in row.body:
                continue
            try:
                entry = entry_of(row)
            except FormatError:
                continue  # a kind of a newer version: `verify` and the list show it
            if entry is not None:
                yield Numbered(row.index, entry)
        end = start


def first_at(store: Store, moment: datetime) -> int:
    """The index of the first entry at or after that moment; expired ones count as before it."""
    low, high = 0, store.journal_size()
    while low < high:
        middle = (low + high) // 2
        row = next(iter(store.journal(middle, middle + 1)), None)
        entry = None if row is None else entry_of(row)
        if entry is not None and entry.at >= moment:
            high = middle
        else:
            low = middle + 1
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


@dataclass(slots=True)
class _Opened:
    """How often one member opened one kind of thing, the newest time first."""

    last: datetime
    times: int = 1
    previous: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.previous = self.last

    def again(self, at: datetime) -> None:
        """An older entry: another time unless it belongs to the same ten minutes."""
        if self.previous - at >= SAME_VISIT:
            self.times += 1
        self.previous = at


def readers(visit: Visit, patient: str) -> tuple[Reader, ...]:
    """Who opened this patient's file, newest first, from the entries that name the patient."""
    opened: dict[tuple[str, str], _Opened] = {}
    for found in newest_first(visit.store, patient.encode()):
        entry = found.entry
        if entry.kind is not EventKind.READ or entry.details.get("patient") != patient:
            continue
        key = (entry.actor, str(entry.details.get("kind", "")))
        if key in opened:
            opened[key].again(entry.at)
        else:
            opened[key] = _Opened(entry.at)
    return tuple(
        Reader(*_person(visit, member), what, each.last, each.times)
        for (member, what), each in opened.items()
        if what != "metadata" or (member, "image") not in opened  # who saw images saw headers
    )


def _person(visit: Visit, member: str) -> tuple[str, tuple[Role, ...]]:
    row = visit.store.get(Member, member)
    return (row.login, row.roles) if row else (member[:8], ())


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
