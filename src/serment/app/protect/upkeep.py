"""What an open practice keeps on disk for the next day: snapshots of its rows, a copy of the keys.

Nobody waits for snapshots but the last to close a circle, and nothing that was done fails because
the second copy of the keys could not follow at once. What a snapshot is, `snapshots` says.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from serment.app import circles
from serment.app.copying import renew
from serment.app.house import House
from serment.app.protect.tables import CircleTable
from serment.core.journal.touched import tells_of_a_change
from serment.errors import NoSpace, Unavailable, VaultLocked

SAVE_EVERY = timedelta(minutes=5)
SAVE_AFTER = 500  # rows changed while a circle stays open
COPY_AGAIN_AFTER = timedelta(minutes=1)  # when the disk refused the copy of the keys


class Upkeep:
    """Of one process; called from several threads."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._copied = house.store.journal_size()  # entries that the copy of the keys has, or may
        self._copy_from: datetime | None = None  # when a copy that is due may be written

    def tidy(self, tables: Iterable[CircleTable]) -> None:
        """Seal the rows of circles that changed much, some minutes apart; copy the keys once the
        last session has closed."""
        now = self._house.clock.now()
        for table in tables:
            if now - table.looked_at >= SAVE_EVERY:
                table.looked_at = now
                if table.is_worth_saving(SAVE_AFTER):
                    self._save(table)
        if self._copy_from is not None and now >= self._copy_from:
            self.copy_keys()

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

    def copy_soon(self) -> None:
        """The second copy is due with the next `tidy`."""
        self._copy_from = self._house.clock.now()

    def copy_keys(self) -> None:
        """Refresh the second copy, if more was journalled meanwhile than who looked at what. When
        the disk refuses, it stays due."""
        again = self._copy_from = self._house.clock.now() + COPY_AGAIN_AFTER
        store, size = self._house.store, self._house.store.journal_size()
        try:
            if any(map(tells_of_a_change, store.journal(self._copied, size))):
                renew(store, self._house.clock.now())
        except (NoSpace, Unavailable):
            return
        self._copied = size
        if self._copy_from is again:  # nothing became due meanwhile
            self._copy_from = None
