"""Who read what: the journal names an object before its first byte may leave.

One entry per session, study and kind for ten minutes; an object it does not name makes a further
entry. Whether the session may read at all is decided by its keys before this is asked.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from serment.core.journal.entries import Entry, EventKind
from serment.ports import Clock, Store

WINDOW = timedelta(minutes=10)
NAMED_AT_ONCE = 2000  # object ids in one entry
MAX_STUDIES = 10_000  # remembered; forgetting some only makes further entries
MAX_NAMED = 200_000  # object ids remembered; forgetting some only makes further entries


@dataclass(slots=True)
class _Named:
    """What the entries of the last ten minutes name."""

    since: datetime
    objects: set[str] = field(default_factory=set)


class Reads:
    """The reads of all sessions; one for each process that serves objects.

    `lock` is held while an entry is written, so that no thread serves an object whose entry is
    still under way in another.
    """

    def __init__(
        self, store: Store, clock: Clock, lock: AbstractContextManager[object] | None = None
    ) -> None:
        self._store, self._clock = store, clock
        self._lock = lock if lock is not None else nullcontext()
        self._named: OrderedDict[tuple[str, str, str], _Named] = OrderedDict()
        self._studies: OrderedDict[tuple[str, str, str], str] = OrderedDict()
        self._count = 0

    def allow(
        self,
        *,
        session: str,
        member: str,
        envelope: str,
        objects: Collection[str],
        kind: str,
        patient: str | None = None,
        study: str | None = None,
        peer: str = "local",
        local: str = "local",
        tls: bool = False,
    ) -> None:
        """Return once the journal names these objects; only then may they be served.

        Args:
            session: the session's random id, not its token.
            envelope: the envelope whose key opens the objects.
            objects: random object ids; naming a whole series at its first image keeps the journal
                short and the next images fast.
            kind: what is read ("image", "report", "document", "thumbnail", "metadata").
            study: `study_of` where it may have several envelopes; never its UID.

        Raises:
            SermentError: the entry could not be written; nothing may be served.
        """
        with self._lock:
            now = self._clock.now()
            named = self._named_since(now, (session, study or envelope, kind))
            new = [o for o in dict.fromkeys(objects) if o not in named.objects]
            for start in range(0, len(new), NAMED_AT_ONCE):
                part = new[start : start + NAMED_AT_ONCE]
                details = {
                    "session": session,
                    "envelope": envelope,
                    "study": study or envelope,
                    "patient": patient,
                    "kind": kind,
                    "objects": part,
                    "count": len(part),
                    "more": bool(named.objects),  # a further entry of the same reading
                    "peer": peer,
                    "local": local,
                    "tls": tls,
                }
                self._store.record(Entry(EventKind.READ, now, member, details))
                named.objects.update(part)
                self._count += len(part)

    def study_of(self, session: str, study_uid: str, envelope: str, patient: str | None) -> str:
        """The id that stands for a patient's study in a session's entries, whose UID must not: the
        envelope of it that was read first, however many it came in. What waits to be filed stands
        for itself: it may be of anybody, whatever its UID."""
        if patient is None:
            return envelope
        with self._lock:
            found = self._studies.setdefault((session, study_uid, patient), envelope)
            while len(self._studies) > MAX_STUDIES:
                self._studies.popitem(last=False)
            return found

    def names(self, session: str, study: str, object_id: str, kind: str) -> bool:
        """Whether the journal names that object already, so that `allow` would write nothing."""
        with self._lock:
            named = self._named.get((session, study, kind))
            return (
                named is not None
                and timedelta() <= self._clock.now() - named.since < WINDOW
                and object_id in named.objects
            )

    def _named_since(self, now: datetime, key: tuple[str, str, str]) -> _Named:
        """What is named for that key, after forgetting what is older than ten minutes."""
        while self._named:
            oldest, named = next(iter(self._named.items()))
            if now - named.since < WINDOW and now >= named.since and self._count <= MAX_NAMED:
                break
            self._forget(oldest)
        found = self._named.get(key)
        if found is not None and not timedelta() <= now - found.since < WINDOW:
            self._forget(key)
            found = None
        if found is None:
            found = self._named[key] = _Named(now)
        return found

    def _forget(self, key: tuple[str, str, str]) -> None:
        self._count -= len(self._named.pop(key).objects)
