"""Who opened a patient's file, as far back as the journal is looked at."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from serment.core.journal.entries import Entry, EventKind
from serment.core.records.vault import Envelope, Member, Role
from serment.entrypoints.web.practice import log
from serment.entrypoints.web.practice.log import newest_first
from serment.entrypoints.web.practice.visit import Visit
from serment.entrypoints.web.views import Reader
from serment.ports import Store

SAME_VISIT = timedelta(minutes=10)


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
    """Who opened this patient's file, newest first, from the entries that name the patient or an
    arrival that was filed with him, before or after."""
    opened: dict[tuple[str, str], _Opened] = {}
    envelopes = {envelope.id for envelope in visit.store.find(Envelope, patient=patient)}
    for found in newest_first(visit.store, *(name.encode() for name in {patient, *envelopes})):
        entry = found.entry
        if entry.kind is not EventKind.READ or not is_about(entry, patient, envelopes):
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


def reaches_back(store: Store) -> bool:
    """Whether everything that was ever journalled is looked at."""
    return store.journal_size() <= log.FAR_BACK


def is_about(entry: Entry, patient: str, envelopes: set[str]) -> bool:
    """Whether an entry names the patient, or one of the envelopes that are filed with him."""
    details = entry.details
    if details.get("patient") == patient or details.get("envelope") in envelopes:
        return True
    named_here = details.get("envelopes")
    if isinstance(named_here, list | dict) and not envelopes.isdisjoint(named_here):
        return True
    filed = details.get("filed")
    return isinstance(filed, list) and any(patient in pair for pair in filed)


def _person(visit: Visit, member: str) -> tuple[str, tuple[Role, ...]]:
    row = visit.store.get(Member, member)
    return (row.login, row.roles) if row else (member[:8], ())
