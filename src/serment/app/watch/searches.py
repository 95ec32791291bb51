"""What searches showed: the ids that came back, never what was asked.

The same answer to the same session within ten minutes (a list that refreshes itself) is one entry.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from typing import Any

from serment.core.crypto.merkle import leaf_hash, root
from serment.core.journal.entries import Entry, EventKind
from serment.ports import Clock, Store

WINDOW = timedelta(minutes=10)
MAX_NAMED = 1000
MAX_REMEMBERED = 10_000


class Searches:
    """The searches of all sessions; one for each process that answers them. `lock` as in `Reads`."""

    def __init__(
        self, store: Store, clock: Clock, lock: AbstractContextManager[object] | None = None
    ) -> None:
        self._store, self._clock = store, clock
        self._lock = lock if lock is not None else nullcontext()
        self._answers: OrderedDict[bytes, datetime] = OrderedDict()

    def note(
        self,
        *,
        session: str,
        member: str,
        level: str,
        envelopes: Sequence[str],
        peer: str = "local",
        local: str = "local",
        tls: bool = False,
    ) -> None:
        """Return once the journal names what is about to be shown.

        Args:
            level: "study", "series", "instance" or "patient".
            envelopes: random ids of what was found. The first 1000 are named; the others are
                counted and bound by a Merkle root over their ids (RFC 6962), so that a list
                recomputed later can be proved to be the one shown.
        """
        with self._lock:
            now = self._clock.now()
            answer = _digest(session, level, envelopes)
            last = self._answers.get(answer)
            if last is not None and timedelta() <= now - last < WINDOW:
                return
            details = {"session": session, "level": level, **named(envelopes)}
            details |= {"peer": peer, "local": local, "tls": tls}
            self._store.record(Entry(EventKind.SEARCHED, now, member, details))
            self._remember(answer, now)

    def _remember(self, answer: bytes, now: datetime) -> None:
        self._answers[answer] = now
        self._answers.move_to_end(answer)
        while len(self._answers) > MAX_REMEMBERED:
            self._answers.popitem(last=False)


def named(ids: Sequence[str]) -> dict[str, Any]:
    """How many, the first of them, and a root over the others (None when all are named)."""
    others = ids[MAX_NAMED:]
    return {
        "count": len(ids),
        "envelopes": list(ids[:MAX_NAMED]),
        "others_root": root(leaf_hash(i.encode()) for i in others).hex() if others else None,
    }


def _digest(session: str, level: str, ids: Sequence[str]) -> bytes:
    digest = hashlib.sha256(f"{session}\n{level}\n".encode())
    for each in ids:
        digest.update(each.encode() + b"\n")
    return digest.digest()
