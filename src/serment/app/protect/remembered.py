"""What a session has opened and need not open again: envelope seeds, and the keys of single files.

Dropped when the session locks and whenever a key was deleted or changed hands, so that nothing
outlives the wrap that led to it. Plaintext of patients is never kept here.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from serment.core.crypto.age import HybridIdentity, Opened
from serment.core.crypto.secret import Seed
from serment.core.records.vault import StoredObject
from serment.errors import N_, VaultLocked

MAX_ENVELOPES = 1024
MAX_OBJECTS = 8192  # about 1 kB each


@dataclass(frozen=True, slots=True)
class OpenEnvelope:
    """What opens the objects of one envelope, and the patient it is filed with, if any."""

    seed: Seed
    identity: HybridIdentity
    patient: str | None


class Remembered:
    """Of one session; called from several threads.

    Args:
        lock: the one under which keys change; taken only to keep or to drop something.
    """

    def __init__(self, lock: AbstractContextManager[object]) -> None:
        self._lock = lock
        self._envelopes: dict[str, OpenEnvelope] = {}
        self._objects: dict[str, tuple[StoredObject, Opened]] = {}
        self._closed = False
        self.turn = 0  # grows whenever something was dropped

    def envelope(self, envelope: str) -> OpenEnvelope | None:
        return self._envelopes.get(envelope)

    def object(self, object_id: str) -> tuple[StoredObject, Opened] | None:
        """The row (without its header) and the opened file of an object whose binding held."""
        return self._objects.get(object_id)

    def keep_envelope(self, envelope: str, opened: OpenEnvelope, turn: int) -> None:
        """Keep it, unless something was dropped since `turn`: it may be what was dropped."""
        with self._lock:
            if turn != self.turn:
                return
            if len(self._envelopes) >= MAX_ENVELOPES:
                self._envelopes = {}
            self._envelopes[envelope] = opened

    def keep_object(self, row: StoredObject, opened: Opened) -> None:
        """Keep what opened it. Useless to who has no way to its envelope any more."""
        with self._lock:
            if self._closed:
                return
            if len(self._objects) >= MAX_OBJECTS:
                self._objects = {}
            self._objects[row.id] = replace(row, header=b""), opened

    def drop(self) -> None:
        """Keys were deleted, moved or changed: find the way to everything anew."""
        with self._lock:
            self.turn += 1
            self._envelopes = {}
            self._objects = {}

    def close(self) -> None:
        """The session ended."""
        with self._lock:
            self._closed = True
            self.drop()

    def check_open(self) -> None:
        """`VaultLocked` once the session has ended: what is being read stops there."""
        if self._closed:
            raise VaultLocked(
                N_("the session is over: the keys were dropped"), hint=N_("sign in again")
            )
