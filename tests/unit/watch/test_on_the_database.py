"""The journal in the real database, changed by somebody who has SQL and no key."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from serment.adapters.sqlite.store import SqliteStore
from serment.app.watch.checkpoints import Checkpoints
from serment.app.watch.expiry import expire
from serment.app.watch.reads import Reads
from serment.app.watch.verification import export_lines, verify_journal, verify_lines
from serment.core.crypto.signing import verify_key
from serment.core.journal.verify import (
    CHANGED,
    CHECKPOINT_CHANGED,
    CUT,
    DELETED,
    FALSE_TOMBSTONE,
    KEPT_DIFFERS,
    MISSING,
    NEVER_SIGNED,
    REWRITTEN,
    Verdict,
)

VAULT = "0123456789abcdef"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vault.sqlite3"


@pytest.fixture
def database(path: Path, clock, key) -> Iterator[SqliteStore]:
    """Twenty reads, signed after ten and after twenty."""
    store = SqliteStore(path, path.with_name("keys.copy"))
    signer, reads = Checkpoints(store, clock, key, VAULT, founding=True), Reads(store, clock)
    for part in range(2):
        for n in range(10):
            clock.advance(1)
            reads.allow(session="s", member="m", envelope="e", objects=[f"{part}{n}"], kind="image")
        signer.sign_if_changed()
    yield store
    store.close()


@pytest.fixture
def sql(path: Path, database: SqliteStore) -> Callable[[str], None]:
    def run(script: str) -> None:
        connection = sqlite3.connect(path)
        connection.executescript(script)
        connection.close()

    return run


def check(database, key, kept: str | None = None) -> Verdict:
    return verify_journal(database, VAULT, verify_key(key), kept)


def test_left_alone(database, key) -> None:
    assert check(database, key) == Verdict(20, True, 0, None, "", 0, 2)
    lines = list(export_lines(database, VAULT, verify_key(key)))
    assert verify_lines(lines, VAULT, verify_key(key)) == check(database, key)


@pytest.mark.parametrize(
    ("script", "first_bad", "reason"),
    [
        ("UPDATE journal SET body = replace(body, 'image', 'other') WHERE number = 7", 7, CHANGED),
        ("UPDATE journal SET body = CAST(body AS TEXT) WHERE number = 7", 7, CHANGED),
        ("UPDATE journal SET body = 7 WHERE number = 7", 7, CHANGED),
        ("UPDATE journal SET salt = 'x' WHERE number = 7", 7, CHANGED),
        ("UPDATE journal SET leaf = 'x' WHERE number = 7", 7, CHANGED),
        ("UPDATE journal SET leaf = 3.5, salt = NULL, body = NULL WHERE number = 7", 7, DELETED),
        (
            "UPDATE journal SET tombstone = 'x', salt = NULL, body = NULL WHERE number = 7",
            7,
            FALSE_TOMBSTONE,
        ),
        (
            "UPDATE journal SET leaf = 'x', tombstone = 'x', salt = NULL, body = NULL"
            " WHERE number = 7",
            7,
            CHANGED,
        ),
        ("UPDATE checkpoint SET note = x'00'", 0, CHECKPOINT_CHANGED),
        ("UPDATE checkpoint SET size = 'many'", 0, CHECKPOINT_CHANGED),
        ("UPDATE journal SET salt = zeroblob(32) WHERE number = 0", 0, CHANGED),
        ("UPDATE journal SET salt = NULL, body = NULL WHERE number = 3", 3, DELETED),
        ("DELETE FROM journal WHERE number = 12", 12, MISSING),
        ("DELETE FROM journal WHERE number >= 15", 15, CUT),
        ("DELETE FROM journal", 0, CUT),
        (
            "DELETE FROM journal WHERE number = 12;"
            "UPDATE journal SET number = number - 1 WHERE number > 12;",
            19,
            CUT,
        ),
        (
            "UPDATE journal SET number = 99 WHERE number = 2;"
            "UPDATE journal SET number = 2 WHERE number = 3;"
            "UPDATE journal SET number = 3 WHERE number = 99;",
            0,
            REWRITTEN,
        ),
        ("UPDATE checkpoint SET size = size + 1", 0, CHECKPOINT_CHANGED),
        ("DELETE FROM checkpoint", 0, NEVER_SIGNED),
    ],
)
def test_changed_by_sql(database, sql, key, script: str, first_bad: int, reason: str) -> None:
    sql(script)
    verdict = check(database, key)
    assert (verdict.ok, verdict.first_bad, verdict.reason) == (False, first_bad, reason)
    assert list(export_lines(database, VAULT, verify_key(key)))


def test_signed_anew_by_the_owner_of_the_server(database, sql, clock, key) -> None:
    kept = database.checkpoints()[0].note
    sql(
        "DELETE FROM checkpoint; DELETE FROM journal;"
        "UPDATE journal_tree SET frontier = zeroblob(8);"
    )
    reads = Reads(database, clock)
    for n in range(20):
        reads.allow(session="s", member="m", envelope="e", objects=[str(n)], kind="image")
    Checkpoints(database, clock, key, VAULT, found=0, founding=True).sign_if_changed()
    assert check(database, key).ok
    assert check(database, key, kept).reason == KEPT_DIFFERS


def test_expired_in_the_file_itself(database, path: Path, clock, key) -> None:
    signer = Checkpoints(database, clock, key, VAULT)
    clock.advance(400 * 86400)
    assert expire(database, clock, key, VAULT) == 20
    signer.sign_if_changed()
    assert check(database, key) == Verdict(21, True, 20, None, "", 0, 3)
    database.copy_keys()
    files = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b'"kind":"read"' not in files
    assert b'"kind":"expired"' in files
