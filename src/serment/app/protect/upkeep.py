"""What an open practice keeps on disk for the next day: snapshots of its rows, a copy of the keys.

Nobody waits for it but the last to close a circle. What a snapshot is, `snapshots` says.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from serment.app import circles
from serment.app.house import House
from serment.app.protect.tables import CircleTable
from serment.core.journal.touched import tells_of_a_change
from serment.errors import VaultLocked

SAVE_EVERY = timedelta(minutes=5)
SAVE_AFTER = 500  # rows changed while a circle stays open


class Upkeep:
    """Of one process; called from several threads."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._copied = house.store.journal_size()  # entries that the copy of the keys has, or may
        self.copy_due = False  # the last session closed

    def tidy(self, tables: Iterable[CircleTable]) -> None:
        """Seal the rows of circles that changed much, some minutes apart; copy the keys once the
        last session has closed."""
        now = self._house.clock.now()
        for table in tables:
            if now - table.looked_at >= SAVE_EVERY:
                table.looked_at = now
                if table.is_worth_saving(SAVE_AFTER):
                    self._save(table)
        if self.copy_due:
            self.copy_due = False
            self._copy_keys()

    def put_away(self, table: CircleTable) -> None:
        """Close a table that nobody sees any more, its rows saved if that is worth while."""
        try:
            if table.is_worth_saving():
                self._save(table)
        finally:
            table.close()

    def _save(self, table: CircleTable) -> None:
        try:
            snapshot = table.snapshot()
        except VaultLocked:
            return  # it was closed meanwhile
        with self._house.lock:
            current = circles.current(self._house.store).get(table.circle)
            if snapshot is not None and current is not None and current.epoch == snapshot.epoch:
                self._house.store.keep_snapshot(snapshot)

    def _copy_keys(self) -> None:
        """Refresh the second copy, if more was journalled meanwhile than who looked at what."""
        start, self._copied = self._copied, self._house.store.journal_size()
        if any(map(tells_of_a_change, self._house.store.journal(start, self._copied))):
            self._house.store.copy_keys()
