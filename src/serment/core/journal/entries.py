"""What can be written into the journal, and the exact bytes a leaf hashes.

An entry names ids, never a patient's value, never a query. `details` holds JSON values only.
Keys that several kinds share: `peer` and `local` (address:port), `tls` (bool), `wraps_made` and
`wraps_deleted` (lists of [kind, subject, recipient, epoch], filled in by the store).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

UNSIGNED_TAIL = "unsigned-tail"  # `what` of a REPAIRED entry: so many were signed late


class EventKind(StrEnum):
    """Names are stable: exports and verifiers outside Serment read them."""

    VAULT_FOUNDED = "vault-founded"
    SERVER_STARTED = "server-started"
    SERVER_STOPPED = "server-stopped"
    RECEPTION_OPENED = "reception-opened"
    RECEPTION_CLOSED = "reception-closed"
    RECEPTION_INTERRUPTED = "reception-interrupted"
    OPENED = "opened"  # a session holds keys
    LOCKED = "locked"  # its keys were dropped
    FILED = "filed"
    UNFILED = "unfiled"
    KEYS_MOVED = "keys-moved"  # envelope seeds rewrapped under a clinical key
    KEYS_RENEWED = "keys-renewed"  # wrapped to a circle's present epoch, or one that came later
    REPEATS_FOUND = "repeats-found"  # same SOP Instance UID again: duplicates and conflicts marked
    READ = "read"
    SEARCHED = "searched"
    EXPORTED = "exported"
    REFUSED = "refused"
    LOGIN_FAILED = "login-failed"
    MEMBER_ADDED = "member-added"
    MEMBER_ADMITTED = "member-admitted"
    MEMBER_REMOVED = "member-removed"
    MEMBER_RESCUED = "member-rescued"
    MEMBER_PASSWORD = "password-changed"  # by the member himself
    SECOND_FACTOR_CHANGED = "second-factor-changed"
    CIRCLE_MADE = "circle-made"
    KEYS_PINNED = "keys-pinned"  # a member saw these public keys, by circle and epoch
    CIRCLE_ACCEPTED = "circle-accepted"  # the secretariat vouches for a circle
    CIRCLE_STOPPED = "circle-stopped"  # nothing a session holds vouches for its public key
    CIRCLE_RESUMED = "circle-resumed"  # its public key is again the one a session vouches for
    DEVICE_ADDED = "device-added"
    DEVICE_REMOVED = "device-removed"
    CERTIFICATE_ISSUED = "certificate-issued"
    KIT_MADE = "kit-made"
    KIT_DECLARED = "kit-declared"
    KIT_TRIED = "kit-tried"
    CHECKPOINT_TAKEN = "checkpoint-taken"  # downloaded by a member, to be kept elsewhere
    RECOVERED = "recovered"
    EXPIRED = "expired"  # bodies of older entries deleted at the end of their retention
    RETENTION_CHANGED = "retention-changed"  # how many months accesses are kept
    RADIUS_COMPUTED = "radius-computed"  # somebody asked what a breach reached
    SCAN_MADE = "scan-made"  # an audit of the network; its findings are in the sealed history
    SCAN_FAILED = "scan-failed"  # an audit that was begun could not be finished
    SCAN_READ = "scan-read"  # a member looked at what audits found, or took a report out
    SCAN_PLANNED = "scan-planned"  # the weekly audit was switched on, changed or switched off
    FINDING_ACCEPTED = "finding-accepted"  # somebody answers for leaving one as it is
    PACKS_INDEXED = "packs-indexed"  # at start: packs whose every object has a row
    REPAIRED = "repaired"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened: when (aware UTC), who (member id, device id or process), what."""

    kind: EventKind
    at: datetime
    actor: str
    details: dict[str, Any] = field(default_factory=dict)

    def with_details(self, **more: Any) -> Entry:
        return replace(self, details={**self.details, **more})

    def encode(self) -> bytes:
        """The canonical JSON that the leaf hashes: sorted keys, no spaces, UTF-8."""
        body = {
            "kind": self.kind.value,
            "at": self.at.isoformat(timespec="microseconds"),
            "actor": self.actor,
            "details": self.details,
        }
        return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True)
class LoggedEntry:
    """A row of the log. `salt` and `body` are None once expired; `leaf` stays for ever."""

    index: int
    leaf: bytes  # 32 bytes: SHA-256(0x00 || salt || body)
    salt: bytes | None
    body: bytes | None
    tombstone: bytes | None = None  # signature over the expiry, see core.journal.log


@dataclass(frozen=True, slots=True)
class CheckpointRow:
    """A signed statement of the log's size and root (C2SP tlog-checkpoint), kept in the vault."""

    size: int
    note: str
    at: datetime
