"""The database of a vault: rows, transactions, the journal, the file itself.

Every mutating method takes the journal entry that explains it, and both are committed in one
transaction; what can be made again from other rows needs none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from serment.core.crypto.merkle import Frontier
from serment.core.journal.entries import CheckpointRow, Entry, LoggedEntry
from serment.core.journal.keystate import WrapName
from serment.core.records.vault import Row, Snapshot, StoredObject, WrapKind

R = TypeVar("R", bound=Row)


@dataclass(frozen=True, slots=True)
class OneOf:
    """A value to find rows by: any of several (texts, or enums of texts)."""

    values: Collection[object]


class Transaction(Protocol):
    """Changes that are committed together with one journal entry, or not at all.

    What the thread that makes them reads from the store meanwhile has them already.
    """

    def get(self, row: type[R], /, *key: object) -> R | None: ...

    def find(self, row: type[R], /, **equals: object) -> list[R]: ...

    def put(self, row: Row) -> None:
        """Insert or replace by primary key. A `Wrap` is added to the entry's `wraps_made`."""

    def add(self, row: Row) -> None:
        """Insert; `Conflict` when the primary key exists: this is how one session claims."""

    def delete(self, row: Row) -> None:
        """Delete by primary key (no-op when absent). A `Wrap` goes to `wraps_deleted`."""

    def note(self, **details: Any) -> None:
        """Add details to the entry before it is written."""


class Store(Protocol):
    """Members, wraps, envelopes, objects and the journal: one database.

    Primary keys: Setting.key, Member.id (login unique), Circle (id, epoch), Device.id,
    Wrap (kind, subject, recipient, epoch), Patient.id, Compartment.id ((patient, circle) unique),
    Envelope.id, IdentityHeader (envelope, number), StoredObject.id, Snapshot.circle.
    """

    def get(self, row: type[R], /, *key: object) -> R | None:
        """The row with that primary key, or None."""

    def find(self, row: type[R], /, **equals: object) -> list[R]:
        """All rows whose named columns equal the values, in insertion order. None matches NULL,
        `OneOf` any of its values."""

    def count(self, row: type[R], /, **equals: object) -> int: ...

    def wrap_names(self, kind: WrapKind) -> list[WrapName]:
        """Every wrap of a kind without the key in it, in no order: who can open what."""

    def change(self, entry: Entry) -> AbstractContextManager[Transaction]:
        """One exclusive transaction. On success the entry, completed with the wraps made and
        deleted and the notes, is appended to the journal, and all is synced to disk (full sync)
        before the block ends. On an exception nothing is changed and nothing is journalled."""

    def record(self, entry: Entry) -> None:
        """Append an entry that changes nothing else (a read, a refusal); synced on return."""

    def add_objects(self, objects: Sequence[StoredObject]) -> None:
        """Insert object rows, ignoring those already there. No journal entry and no forced sync:
        they can be rebuilt from the packs, and their reception's entries cover them."""

    def keep_snapshot(self, snapshot: Snapshot) -> None:
        """Insert or replace a circle's snapshot. No journal entry and no forced sync: it says
        nothing that rows and wraps do not, and can be made again from them."""

    def row_digests(self, row: type[Row], /) -> Iterator[tuple[str, str]]:
        """Every row of a kind by its name in the journal, with its digest (`core.records.rows`), in
        no order. Also of a row that a damaged database has and that makes none."""

    def at_once(self) -> AbstractContextManager[None]:
        """What this thread reads inside is all of one moment; it changes nothing meanwhile."""

    def objects_after(self, cursor: int, limit: int) -> list[tuple[int, StoredObject]]:
        """Object rows in arrival order after a cursor (0 = from the start), with their cursors."""

    def data_version(self) -> int:
        """A number that differs once any process has committed something since the last call."""

    # The journal
    def journal(self, start: int = 0, stop: int | None = None) -> Iterator[LoggedEntry]: ...

    def journal_size(self) -> int: ...

    def journal_tree(self) -> Frontier:
        """The tree over all entries as the store keeps it, not recomputed: what a checkpoint
        signs. Changing it changes nothing in the store."""

    def expire(self, indices: Sequence[int], tombstones: Sequence[bytes], entry: Entry) -> None:
        """Delete body and salt of those entries, keep their leaves, set their tombstones."""

    def checkpoints(self) -> list[CheckpointRow]: ...

    def add_checkpoint(self, checkpoint: CheckpointRow) -> None: ...

    # The file itself
    def check(self) -> Sequence[str]:
        """What the database says of its own integrity: empty when sound."""

    def copy_keys(self) -> int:
        """Refresh the second copy (all but object rows and snapshots), atomically. What the earlier
        copy has right and the database has no more stays in it: returns how many rows that were.
        `IntegrityError` when the earlier copy knows more than the database, or has another journal:
        it stays. `Unavailable` when it was written, but a reader kept deleted wraps in the log: try
        again."""

    def copied(self) -> AbstractContextManager[Store | None]:
        """The second copy as it is now, to be read only; None where a store keeps none because it
        has no file that could be lost. `NotFound`: it is gone; `IntegrityError`, `FormatError`:
        it cannot be read."""

    def forget(self) -> None:
        """Erasure: leave no byte of a wrap deleted before in any file of the store, the second
        copy included; delete every snapshot, since they hold rows of whoever was erased, and every damaged
        database that a restored one replaced. `IntegrityError` as of `copy_keys`; `Unavailable` when a reader stands in the way: try again."""

    def close(self) -> None: ...
