"""Signs what the log has become, and never anything but a continuation of what was signed before.

At start the tree that the store keeps is trusted only where the newest checkpoint, or a full pass
over the leaves, proves it; afterwards each checkpoint extends the one before. A log without any
checkpoint is signed only while it is new: founding signs the first. Entries that the last run left
unsigned cannot be proved untouched: they are signed, and an entry says so, which `verify` counts.
"""

from __future__ import annotations

from datetime import timedelta

from serment.core.crypto.merkle import Frontier
from serment.core.crypto.secret import Seed
from serment.core.crypto.signing import verify_key
from serment.core.journal.checkpoints import (
    Checkpoint,
    open_checkpoint,
    origin,
    sign_checkpoint,
)
from serment.core.journal.entries import UNSIGNED_TAIL, CheckpointRow, Entry, EventKind
from serment.core.journal.log import entry_of
from serment.errors import N_, FormatError, IntegrityError
from serment.ports import Clock, Store

RECENT = timedelta(minutes=5)  # what this very run, or the command just before, has written


class Checkpoints:
    """Signs for one process; used by one thread."""

    def __init__(self, store: Store, clock: Clock, key: Seed, vault: str) -> None:
        self._store, self._clock, self._key = store, clock, key
        self._origin = origin(vault)
        self._signed: Frontier | None = None  # the tree at the last checkpoint

    def sign_if_changed(self) -> CheckpointRow | None:
        """Sign when entries came since the last checkpoint; the new one, or None.

        Raises:
            IntegrityError: the log is not a continuation of what was signed. Nothing is signed.
        """
        if self._signed is None:
            self._signed = self._last_signed()
            self._note_old_tail(self._signed.size)
        tree = self._store.journal_tree()
        if tree == self._signed:
            return None
        if self._grown(self._signed, tree.size) != tree:
            raise _altered()
        checkpoint = Checkpoint(tree.size, tree.root())
        note = sign_checkpoint(checkpoint, self._origin, self._key)
        row = CheckpointRow(tree.size, note, self._clock.now())
        self._store.add_checkpoint(row)
        self._signed = tree
        return row

    def _last_signed(self) -> Frontier:
        """The tree at the newest checkpoint, proved by its root."""
        row = newest(self._store)
        if row is None:
            self._check_is_new()
            return Frontier()
        try:
            checkpoint = open_checkpoint(row.note, self._origin, verify_key(self._key))
        except (FormatError, IntegrityError) as error:
            raise _altered() from error
        tree = self._store.journal_tree()
        if tree.size != checkpoint.size:
            tree = self._grown(Frontier(), checkpoint.size)
        if (tree.size, tree.root()) != (checkpoint.size, checkpoint.root):
            raise _altered()
        return tree

    def _check_is_new(self) -> None:
        """Else somebody took the checkpoints away, to have the server sign what he made of it."""
        first = next(iter(self._store.journal(0, 1)), None)
        if first is None:
            return
        try:
            entry = entry_of(first)
        except FormatError as error:
            raise _altered() from error
        if entry is None or self._clock.now() - entry.at >= RECENT:
            raise _altered()

    def _grown(self, start: Frontier, size: int) -> Frontier:
        """That tree with the leaves up to `size`, as far as there are any."""
        frontier = start.copy()
        for row in self._store.journal(start.size, size):
            frontier.append(row.leaf)
        return frontier

    def _note_old_tail(self, signed: int) -> None:
        size = self._store.journal_size()
        row = next(iter(self._store.journal(signed, signed + 1)), None)
        first = None if row is None else entry_of(row)
        now = self._clock.now()
        if first is None or now - first.at < RECENT:
            return
        details = {"what": UNSIGNED_TAIL, "first": signed, "last": size - 1, "count": size - signed}
        self._store.record(Entry(EventKind.REPAIRED, now, "worker", details))


def newest(store: Store) -> CheckpointRow | None:
    """The checkpoint of the largest size, for keeping elsewhere; None before the first."""
    return max(store.checkpoints(), key=lambda row: row.size, default=None)


def _altered() -> IntegrityError:
    return IntegrityError(
        N_("the journal is not a continuation of what was signed: no checkpoint is made"),
        hint=N_("run `serment journal verify`: it says where the journal was changed"),
    )
