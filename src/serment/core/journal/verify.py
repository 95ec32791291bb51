"""Whether the log is whole: what can be said of it by somebody who trusts nobody here.

The rules, each over rows that stream by once, in memory that does not grow with the log:
  1. numbers run from 0 without a gap;
  2. salt and entry of each row give its leaf, or the row carries a signed tombstone;
  3. at the size of every checkpoint, the leaves so far give the root that it signs;
  4. no signed checkpoint counts more entries than there are;
  5. what is not signed yet is at most as old as signing every minute can leave it;
  6. the checkpoint kept elsewhere, when given, holds as well.
What it cannot see without a checkpoint kept elsewhere: the log and its checkpoints cut back together
to an earlier checkpoint, what was written in the place of what was cut before the server signed
again (it says so in an entry: `late`), or everything signed anew by somebody who has the key.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from serment.core.crypto.merkle import HASH_BYTES, Frontier
from serment.core.journal.checkpoints import Checkpoint, open_checkpoint
from serment.core.journal.entries import UNSIGNED_TAIL, CheckpointRow, LoggedEntry
from serment.core.journal.log import entry_of, is_what_was_written
from serment.core.journal.tombstones import Batch, Tombstone, parse_tombstone
from serment.errors import N_, FormatError, IntegrityError

LONGEST_UNSIGNED = timedelta(minutes=15)
MAX_OPEN_BATCHES = 1000
_UNSIGNED = UNSIGNED_TAIL.encode()

CHANGED = N_("the content of this entry is not what was written")
DELETED = N_("the content of this entry was deleted before its retention ended")
FALSE_TOMBSTONE = N_("an entry is marked as expired, but that mark is not signed for it")
MISSING = N_("an entry is missing here")
MOVED = N_("the entries are not in the order in which they were written")
REWRITTEN = N_("an entry from here to the next checkpoint was changed, added, removed or moved")
CUT = N_("entries are missing from here on: more of them were written")
CHECKPOINT_CHANGED = N_("a checkpoint after this entry is not signed by the journal's key")
NEVER_SIGNED = N_("no checkpoint signs these entries: checkpoints were removed")
UNSIGNED_LONG = N_(
    "entries from here on are not signed although time enough went by: checkpoints were removed, "
    "or signing had stopped"
)
TREE_CHANGED = N_("the state of the tree is not the one these entries give")
KEPT_OTHER_KEY = N_(
    "the checkpoint kept elsewhere is not signed by this journal's key: it is of another vault, or "
    "the key and the whole journal were replaced"
)
KEPT_DIFFERS = N_(
    "the journal is not the one the checkpoint kept elsewhere signs: it was rewritten"
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found.

    `first_bad` is where it shows: the entry itself when its content is wrong, the end of a log that
    was cut, else the first entry after the last checkpoint that still holds. `reason` is a message
    id without fields, "" when all is well. `expired` counts entries whose retention has ended,
    `unsigned` those that no checkpoint covers yet, `late` those that a run found unsigned and
    signed: whether somebody had taken checkpoints away, and changed them, cannot be told here.
    """

    entries: int
    ok: bool
    expired: int
    first_bad: int | None
    reason: str
    unsigned: int = 0
    checkpoints: int = 0
    late: int = 0


class Verifier:
    """Takes the rows one by one, then says what it found."""

    def __init__(
        self,
        checkpoints: Iterable[CheckpointRow],
        public_key: bytes,
        origin: str,
        kept: str | None = None,
    ) -> None:
        """
        Raises:
            FormatError: what was given as kept is no checkpoint at all.
        """
        self._public, self._origin = public_key, origin
        self._found: tuple[int, str] | None = None
        self._whole = True  # no gap and no wrong root so far: roots still mean something
        self._frontier = Frontier()
        self._expired = self._signed = self._seen = self._next = self._late = 0
        self._batches: dict[bytes, tuple[Tombstone, Batch]] = {}
        self._first: LoggedEntry | None = None  # the first row that is not signed yet
        self._last: LoggedEntry | None = None
        # Sorted backwards, so that the next one is popped from the end.
        self._rows = sorted(checkpoints, key=_size, reverse=True)
        self._checkpoints = len(self._rows)
        self._kept = self._open_kept(kept)
        self._reach()

    def feed(self, row: LoggedEntry) -> None:
        """The next row, in the order in which the log is read."""
        self._seen += 1
        expected = self._seen - 1
        if row.index != expected and self._whole:
            self._report(expected, MISSING if row.index > expected else MOVED)
            self._whole = False
        self._check_content(row)
        if self._whole and not _is_leaf(row.leaf):
            self._report(row.index, CHANGED)
            self._whole = False
        if self._whole:
            self._grow(row)

    def verdict(self, tree: Frontier | None = None) -> Verdict:
        """After the last row; `tree` is the state the store keeps, when it is to be checked too."""
        for raw in list(self._batches):
            self._close(raw)
        if self._whole:
            self._check_end(tree)
        first_bad, reason = self._found or (None, "")
        return Verdict(
            self._seen,
            self._found is None,
            self._expired,
            first_bad,
            reason,
            self._seen - self._signed,
            self._checkpoints,
            self._late,
        )

    def _report(self, index: int, reason: str) -> None:
        """Keep the finding that stands earliest in the log; the first of several at one place."""
        if self._found is None or index < self._found[0]:
            self._found = (index, reason)

    def _check_content(self, row: LoggedEntry) -> None:
        if row.body is not None or row.salt is not None:
            if not is_what_was_written(row):
                self._report(row.index, CHANGED)
            self._late += _signed_late(row)
        elif row.tombstone is None:
            self._report(row.index, DELETED)
        else:
            self._expired += 1
            self._bury(row.index, row.leaf, row.tombstone)

    def _bury(self, index: int, leaf: bytes, raw: bytes) -> None:
        if not _is_leaf(leaf):
            return
        if raw not in self._batches:
            try:
                self._batches[raw] = (parse_tombstone(raw), Batch(index))
            except FormatError:
                self._report(index, FALSE_TOMBSTONE)
                return
        tombstone, batch = self._batches[raw]
        batch.add(index, leaf)
        if index >= tombstone.last or len(self._batches) > MAX_OPEN_BATCHES:
            self._close(raw)

    def _close(self, raw: bytes) -> None:
        tombstone, batch = self._batches.pop(raw)
        if not batch.holds(tombstone, self._origin, self._public):
            self._report(batch.first, FALSE_TOMBSTONE)

    def _grow(self, row: LoggedEntry) -> None:
        self._frontier.append(row.leaf)
        if self._first is None:
            self._first = row
        self._last = row
        if self._seen >= self._next:
            self._reach()

    def _reach(self) -> None:
        """Check every checkpoint whose size the log has just reached."""
        size = self._frontier.size
        while self._whole and self._rows and _size(self._rows[-1]) <= size:
            self._check(self._open(self._rows.pop()))
        if self._whole and self._kept is not None and self._kept.size == size:
            if self._kept.root != self._frontier.root():
                self._report(0, KEPT_DIFFERS)
            self._kept = None
        sizes = [_size(row) for row in self._rows[-1:]]
        if self._kept is not None:
            sizes.append(self._kept.size)
        self._next = min(sizes, default=sys.maxsize)

    def _check(self, checkpoint: Checkpoint | None) -> None:
        if checkpoint is None:
            self._report(self._signed, CHECKPOINT_CHANGED)
        elif checkpoint.root != self._frontier.root():
            self._report(self._signed, REWRITTEN)
            self._whole = False
        else:
            self._signed = checkpoint.size
            self._first = None

    def _open(self, row: CheckpointRow) -> Checkpoint | None:
        note: object = row.note
        if not isinstance(note, str):
            return None
        try:
            checkpoint = open_checkpoint(note, self._origin, self._public)
        except (FormatError, IntegrityError):
            return None
        return checkpoint if checkpoint.size == row.size else None

    def _open_kept(self, kept: str | None) -> Checkpoint | None:
        if kept is None:
            return None
        try:
            return open_checkpoint(kept, self._origin, self._public)
        except IntegrityError:
            self._report(0, KEPT_OTHER_KEY)
            return None

    def _check_end(self, tree: Frontier | None) -> None:
        size = self._frontier.size
        beyond = [self._open(row) for row in self._rows]
        if any(checkpoint is None for checkpoint in beyond):
            self._report(self._signed, CHECKPOINT_CHANGED)
        if any(beyond) or self._kept is not None or (tree is not None and tree.size > size):
            self._report(size, CUT)
        elif tree is not None and tree.encode() != self._frontier.encode():
            self._report(self._signed, TREE_CHANGED)
        if size and not self._signed and not any(beyond):
            self._report(0, NEVER_SIGNED)
        elif _span(self._first, self._last) > LONGEST_UNSIGNED:
            self._report(self._signed, UNSIGNED_LONG)


def _signed_late(row: LoggedEntry) -> int:
    """How many entries this one says were signed late."""
    if not isinstance(row.body, bytes) or _UNSIGNED not in row.body:
        return 0
    try:
        entry = entry_of(row)
    except FormatError:
        return 0
    if entry is None or entry.details.get("what") != UNSIGNED_TAIL:
        return 0
    count = entry.details.get("count")
    return count if isinstance(count, int) else 0


def _is_leaf(leaf: object) -> bool:
    """Whether it is 32 bytes: SQL lets anybody put something else there."""
    return isinstance(leaf, bytes) and len(leaf) == HASH_BYTES


def _size(row: CheckpointRow) -> int:
    return row.size if isinstance(row.size, int) else -1


def _span(first: LoggedEntry | None, last: LoggedEntry | None) -> timedelta:
    """The time from one row to the other, as far as they can be read."""
    try:
        times = [entry.at for row in (first, last) if row and (entry := entry_of(row))]
    except FormatError:
        return timedelta()
    return times[1] - times[0] if len(times) == 2 else timedelta()


def verify(
    entries: Iterable[LoggedEntry],
    checkpoints: Iterable[CheckpointRow],
    public_key: bytes,
    origin: str,
    kept: str | None = None,
    tree: Frontier | None = None,
) -> Verdict:
    """Check a whole log in one pass.

    Args:
        entries: every row, as read in order.
        checkpoints: every checkpoint the vault keeps.
        public_key: the journal's Ed25519 key, 32 bytes.
        origin: `checkpoints.origin(vault id)`.
        kept: a signed checkpoint kept elsewhere, or None.
        tree: the tree's state as the store keeps it, or None to leave it out.

    Raises:
        FormatError: what was given as kept is no checkpoint.
    """
    verifier = Verifier(checkpoints, public_key, origin, kept)
    for row in entries:
        verifier.feed(row)
    return verifier.verdict(tree)
