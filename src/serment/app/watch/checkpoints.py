"""Signs what the log has become, and never anything but a continuation of what was signed before.

At start the tree that the store keeps is trusted only where the newest checkpoint, or a full pass
over the leaves, proves it; afterwards each checkpoint extends the one before. A log without any
checkpoint is signed by founding only. Entries that a run finds unsigned when it begins cannot be
proved untouched: they are signed, and an entry says so, which `verify` counts. Nothing that an entry
says of itself, its time least of all, is believed: whoever took a checkpoint away wrote it too.
"""

from __future__ import annotations

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
from serment.core.records.vault import Setting
from serment.errors import N_, FormatError, IntegrityError, NotFound
from serment.ports import Clock, Store

TAKEN = "checkpoint-taken"  # setting: when a checkpoint was last handed out


class Checkpoints:
    """Signs for one run, of a command or of the server; used by one thread.

    Args:
        found: how many entries there were before this run wrote any; by default all of those that
            are there now.
        founding: whether this run has just made the vault, and may sign its first entries.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        key: Seed,
        vault: str,
        found: int | None = None,
        *,
        founding: bool = False,
    ) -> None:
        self._store, self._clock, self._key = store, clock, key
        self._origin, self._founding = origin(vault), founding
        self._found = store.journal_size() if found is None else found
        self._signed: Frontier | None = None  # the tree at the last checkpoint

    def sign_if_changed(self) -> CheckpointRow | None:
        """Sign when entries came since the last checkpoint; the new one, or None.

        Raises:
            IntegrityError: the log is not a continuation of what was signed. Nothing is signed.
        """
        if self._signed is None:
            signed = self._last_signed()
            self._note_unsigned(signed.size)
            self._signed = signed  # only now: what could not be noted is not signed
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
            if self._founding and not self._found:
                return Frontier()
            raise _altered()  # taken away, to have the server sign what somebody made of the log
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

    def _grown(self, start: Frontier, size: int) -> Frontier:
        """That tree with the leaves up to `size`, as far as there are any."""
        frontier = start.copy()
        for row in self._store.journal(start.size, size):
            frontier.append(row.leaf)
        return frontier

    def _note_unsigned(self, signed: int) -> None:
        count = self._found - signed
        if count <= 0:
            return
        details = {"what": UNSIGNED_TAIL, "first": signed, "last": self._found - 1, "count": count}
        self._store.record(Entry(EventKind.REPAIRED, self._clock.now(), "worker", details))


def newest(store: Store) -> CheckpointRow | None:
    """The checkpoint of the largest size, for keeping elsewhere; None before the first."""
    return max(store.checkpoints(), key=lambda row: row.size, default=None)


def take(store: Store, clock: Clock, actor: str) -> CheckpointRow:
    """The newest checkpoint, handed out to be kept elsewhere; that it was, and when, is kept and
    journalled.

    Raises:
        NotFound: none was signed yet.
    """
    row, now = newest(store), clock.now()
    if row is None:
        raise NotFound(
            N_("there is no checkpoint yet"),
            hint=N_("a running server signs one within a minute"),
        )
    with store.change(Entry(EventKind.CHECKPOINT_TAKEN, now, actor, {"size": row.size})) as tx:
        tx.put(Setting(TAKEN, now.isoformat().encode()))
    return row


def _altered() -> IntegrityError:
    return IntegrityError(
        N_("the journal is not a continuation of what was signed: no checkpoint is made"),
        hint=N_("run `serment journal verify`: it says where the journal was changed"),
    )
