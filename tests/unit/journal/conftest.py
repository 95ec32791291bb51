"""A small log, written as a store writes it, to be tampered with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from serment.core.crypto.merkle import Frontier
from serment.core.crypto.secret import Seed
from serment.core.crypto.signing import verify_key
from serment.core.journal.checkpoints import Checkpoint, origin, sign_checkpoint
from serment.core.journal.entries import CheckpointRow, Entry, EventKind, LoggedEntry
from serment.core.journal.log import leaf, new_salt
from serment.core.journal.tombstones import make_tombstone
from serment.core.journal.verify import Verdict, verify

START = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


@dataclass
class Log:
    seed: Seed = field(default_factory=lambda: Seed(bytes(range(32))))
    origin: str = origin("0123456789abcdef")
    rows: list[LoggedEntry] = field(default_factory=list)
    checkpoints: list[CheckpointRow] = field(default_factory=list)

    def write(self, count: int, kind: EventKind = EventKind.READ, **details: Any) -> None:
        for _ in range(count):
            number = len(self.rows)
            at = START + timedelta(seconds=number)
            body = Entry(kind, at, "member", details or {"number": number}).encode()
            salt = new_salt()
            self.rows.append(LoggedEntry(number, leaf(salt, body), salt, body))

    def tree(self) -> Frontier:
        frontier = Frontier()
        for row in self.rows:
            frontier.append(row.leaf)
        return frontier

    def sign(self) -> str:
        checkpoint = Checkpoint(len(self.rows), self.tree().root())
        note = sign_checkpoint(checkpoint, self.origin, self.seed)
        self.checkpoints.append(CheckpointRow(len(self.rows), note, START))
        return note

    def expire(self, *indices: int) -> None:
        chosen = [self.rows[i] for i in indices]
        tombstone = make_tombstone(chosen, self.origin, date(2027, 11, 20), self.seed)
        for i in indices:
            self.rows[i] = replace(self.rows[i], salt=None, body=None, tombstone=tombstone)

    def verdict(self, kept: str | None = None, tree: Frontier | None = None) -> Verdict:
        public = verify_key(self.seed)
        return verify(self.rows, self.checkpoints, public, self.origin, kept, tree)

    def found(self, kept: str | None = None) -> tuple[int | None, str]:
        verdict = self.verdict(kept)
        assert verdict.ok is (verdict.first_bad is None) is (verdict.reason == "")
        return verdict.first_bad, verdict.reason


@pytest.fixture
def new_log() -> Callable[[], Log]:
    return Log


@pytest.fixture
def log() -> Log:
    """Thirty entries, a checkpoint at 10 and 20, ten not signed yet."""
    log = Log()
    for _ in range(2):
        log.write(10)
        log.sign()
    log.write(10)
    return log
