"""Who was refused: one entry for each caller and minute, in bounded memory.

A caller that knocks a thousand times a second costs one entry a minute; more callers than are kept
apart are counted together. The entry is written when its minute has ended, so a crash may lose the
refusals of one minute and nothing else.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from serment.core.journal.entries import Entry, EventKind
from serment.ports import Clock, Store

MAX_CALLERS = 100
MAX_REASONS = 10
OTHERS = "others"
_NOT_PLAIN = re.compile(r"[^\x20-\x7e]")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who knocked, as far as he says; texts of a peer, made plain and short."""

    peer: str
    calling: str = ""
    called: str = ""
    local: str = ""
    tls: bool = False


@dataclass(slots=True)
class _Bucket:
    first: datetime
    last: datetime
    count: int = 0
    reasons: Counter[str] = field(default_factory=Counter)


class Refusals:
    """The refusals of one process; the caller holds a lock while using it."""

    def __init__(self, store: Store, clock: Clock, actor: str = "receiver") -> None:
        self._store, self._clock, self._actor = store, clock, actor
        self._minute: datetime | None = None
        self._buckets: dict[Caller, _Bucket] = {}

    def note(
        self,
        address: str,
        reason: str,
        *,
        calling: str = "",
        called: str = "",
        local: str = "",
        tls: bool = False,
    ) -> None:
        """Count a refusal. `reason` is a message id of ours, never a text of the peer's; `local`
        is the address of ours that was called."""
        now = self._clock.now()
        self.flush()
        self._minute = self._minute or _minute_of(now)
        caller = Caller(_plain(address, 64), _plain(calling, 16), _plain(called, 16), local, tls)
        if caller not in self._buckets and len(self._buckets) >= MAX_CALLERS:
            caller = Caller(OTHERS)
        bucket = self._buckets.setdefault(caller, _Bucket(now, now))
        bucket.count += 1
        bucket.last = now
        if reason in bucket.reasons or len(bucket.reasons) < MAX_REASONS:
            bucket.reasons[reason] += 1

    def flush(self, final: bool = False) -> None:
        """Journal the refusals of a minute that has ended; at shutdown (`final`) of any minute."""
        ended = self._minute is not None and _minute_of(self._clock.now()) != self._minute
        if not (ended or final):
            return
        while self._buckets:
            caller = next(iter(self._buckets))
            self._store.record(self._entry(caller, self._buckets[caller]))
            del self._buckets[caller]
        self._minute = None

    def _entry(self, caller: Caller, bucket: _Bucket) -> Entry:
        details = {
            "peer": caller.peer,
            "calling": caller.calling,
            "called": caller.called,
            "local": caller.local,
            "tls": caller.tls,
            "count": bucket.count,
            "first": bucket.first.isoformat(),
            "last": bucket.last.isoformat(),
            "reasons": dict(bucket.reasons),
        }
        return Entry(EventKind.REFUSED, bucket.last, self._actor, details)


def _minute_of(now: datetime) -> datetime:
    return now.replace(second=0, microsecond=0)


def _plain(untrusted_text: str, length: int) -> str:
    """Printable ASCII, cut: what a peer says must not forge a line of somebody's log."""
    return _NOT_PLAIN.sub("?", untrusted_text[:length]).strip()
