"""What was journalled since the last look, as far as an open practice must act on it.

Reads and searches are journalled too, and often; they change nothing that the tables show. Rows
of objects come without an entry: the tables know by themselves how far they are.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from serment.core.journal.entries import EventKind
from serment.ports import Store

UNSEEN = frozenset(  # entries that change neither what is there nor who can open it
    {
        *(EventKind.READ, EventKind.SEARCHED, EventKind.EXPORTED, EventKind.REFUSED),
        *(EventKind.LOGIN_FAILED, EventKind.OPENED, EventKind.LOCKED, EventKind.CHECKPOINT_TAKEN),
    }
)


@dataclass(frozen=True, slots=True)
class Since:
    """`rows`: the tables must look again. `keys`: a wrap was deleted, so what was opened through
    it must not be remembered."""

    rows: bool
    keys: bool


class News:
    """Looks at each entry once. Used under the practice's lock."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._entries = 0

    def look(self) -> Since:
        """What came since the last look; everything, the first time."""
        start, self._entries = self._entries, self._store.journal_size()
        if not start:
            return Since(rows=True, keys=True)
        rows = keys = False
        for entry in self._store.journal(start, self._entries):
            if entry.body is not None:
                body = json.loads(entry.body)
                rows = rows or body["kind"] not in UNSEEN
                keys = keys or "wraps_deleted" in body["details"]
        return Since(rows, keys)
