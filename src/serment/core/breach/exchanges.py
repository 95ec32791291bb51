"""Public keys of circles that were exchanged: which arrivals may have been sealed to whoever did that.

Somebody who writes the vault's files can put his own public key in the place of a circle's. A session
that holds the circle notices when it opens, and stops it (`app.protect.believing`); what arrived since
one last opened without stopping it may be sealed to him. The same for every way a breach can go.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from serment.core.breach.arrivals import Arrivals
from serment.core.breach.evidence import Fact
from serment.core.breach.examination import Examination
from serment.core.breach.exposure import Exposure
from serment.core.breach.vectors import has_files
from serment.core.breach.ways import Ways
from serment.core.journal.entries import Entry, EventKind
from serment.core.records.names import RECOVERY
from serment.core.records.vault import CircleKind

K = EventKind
TOLD_BY = frozenset({K.OPENED, K.CIRCLE_RESUMED, K.CIRCLE_STOPPED})
# Every arrival is sealed to these, at least who it is about; to a care circle, what came for it.
EVERYWHERE = frozenset({RECOVERY, CircleKind.SECRETARIAT.value, CircleKind.DPO.value})


@dataclass(frozen=True, slots=True)
class Vouched:
    """An entry after which the public key was the circle's own; before all others: `index` -1."""

    index: int = -1
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """A circle's public key was exchanged some time between these."""

    circle: str
    since: Vouched
    index: int
    noticed: datetime

    def meets(self, start: datetime, end: datetime) -> bool:
        """Whether it may have been exchanged, unnoticed, at some instant of that span."""
        begun = self.since.at is None or self.since.at <= end
        return begun and self.noticed >= start


class Exchanges:
    """Fed with the entries of `TOLD_BY`, in the order of the log."""

    def __init__(self, arrivals: Arrivals) -> None:
        self._arrivals = arrivals
        self._vouched: dict[str, Vouched] = {}
        self._found: list[Exchange] = []

    def feed(self, index: int, entry: Entry) -> None:
        """An opening names the circles whose keys the session holds, and had looked at before;
        none opens where the kit's public key is not the pinned one."""
        circle = str(entry.details.get("circle"))
        if entry.kind is K.CIRCLE_STOPPED:
            since = self._vouched.get(circle, Vouched())
            self._found.append(Exchange(circle, since, index, entry.at))
            return
        held = entry.details.get("circles")
        opened = [*(held if isinstance(held, list) else ()), RECOVERY]
        for name in opened if entry.kind is K.OPENED else [circle]:
            self._vouched[str(name)] = Vouched(index, entry.at)

    def judge(self, found: Examination, ways: Ways) -> None:
        """Whoever has the files may be who exchanged the key, or his friend; who only acted as a
        member or listened has nothing that was sealed, and learns that it happened meanwhile."""
        span = found.vector.start, found.vector.end
        for each in self._found:
            sealed = self._sealed(each, found) if has_files(found.vector) else []
            if sealed or each.meets(*span):
                found.findings.note(Fact.CIRCLE_STOPPED, each.index)
            for envelope, index in sealed:
                found.findings.note(Fact.SEALED_MEANWHILE, index)
                ways.passed.setdefault(envelope, Exposure.READABLE)

    def _sealed(self, exchange: Exchange, found: Examination) -> list[tuple[int, int]]:
        """The arrivals that he may open, of those that were there."""
        circle = None if exchange.circle in EVERYWHERE else exchange.circle
        arrived = self._arrivals.between(exchange.since.index, exchange.index, circle)
        return [each for each in arrived if found.keys.is_there(each[0])]
