"""Once a wrap is deleted no byte of it is left in any file of the vault: database, log, free pages, the
copy of the keys, snapshots. A running server, searched for pieces of 16 bytes.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.e2e.faults import remains
from tests.e2e.faults.remains import left_in
from tests.e2e.oath.premises import Premises
from tests.e2e.readable import check_nothing_readable
from tests.e2e.serving import serving
from tests.practices import patient, report, study

from serment.adapters.sqlite import connections, residue

PATIENCE_SECONDS = 20


@dataclass
class Vault:
    """A running server's vault, and every wrap that it ever had when it was looked at."""

    premises: Premises
    ever: dict[bytes, remains.Wrap] = field(default_factory=dict)

    def look(self) -> set[bytes]:
        now = remains.wraps(self.premises.root)
        self.ever |= {blob: name for name, blob in now.items()}
        return set(now.values())

    def run(self, *words: str) -> None:
        self.premises.vault.json(*words)

    def deleted_by(self, act: Callable[[], None]) -> list[bytes]:
        """The wraps that the act deletes; all of them are there before it."""
        before = self.look()
        assert left_in(before, self.premises.root) == len(before) > 0
        act()
        now = self.look()
        assert left_in(now, self.premises.root) == len(now)
        return [blob for blob in self.ever if blob not in now]

    def left_soon(self, blobs: list[bytes]) -> int:
        """How many have a piece left once the server has tidied, which it does every second."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while left := left_in(blobs, self.premises.root):
            if time.monotonic() > deadline:
                break
            time.sleep(0.2)
        return left

    def kinds(self, blobs: list[bytes]) -> set[tuple[str, str]]:
        """(kind, kind of the recipient) of each."""
        names = (self.ever[blob] for blob in blobs)
        return {(kind, recipient.partition(":")[0]) for kind, _, recipient, _ in names}

    def work(self, *more: tuple[str, ...]) -> None:
        """A doctor signs in, something is done, everybody leaves."""
        self.run("unlock", "--as", "docteur")
        for words in more:
            self.run(*words)
        self.run("lock")


ADD = ("member", "add", "confrere", "--role", "doctor", "--by", "docteur")
REMOVE = ("member", "remove", "confrere", "--as", "admin")


@contextmanager
def running(founded: Premises, folder: Path) -> Iterator[Vault]:
    premises, sent = founded.copy(folder), list[bytes]()
    for number, name in enumerate(("LEFÈVRE^Hélène", "PETIT^Luc", "GARÇON^Zoé"), start=1):
        exam = study(patient(number, name, f"1957040{number}"), number)
        objects = [report(exam, each) for each in range(3)]
        premises.receive(objects)
        sent += objects
    with serving(premises.vault):
        yield Vault(premises)
        check_nothing_readable(premises.root, sent)
    check_nothing_readable(premises.root, sent)


def test_filing_removing_and_renewing_leave_nothing(founded: Premises, tmp_path: Path) -> None:
    with running(founded, tmp_path) as vault:
        filed = vault.deleted_by(vault.work)
        assert {("envelope-seed", "circle"), ("envelope-identity", "recovery")} <= vault.kinds(
            filed
        )
        assert vault.left_soon(filed) == 0
        vault.work(ADD)
        removed = vault.deleted_by(lambda: vault.run(*REMOVE))
        assert {("member-seed", "password"), ("circle-seed", "member")} <= vault.kinds(removed)
        assert vault.left_soon(removed) == 0
        renewed = vault.deleted_by(lambda: (vault.work(), vault.work())[0])
        assert ("patient-identity", "circle") in vault.kinds(renewed)
        assert vault.left_soon(renewed) == 0
        changed = vault.deleted_by(lambda: change_password(vault, "secretaire"))
        assert vault.left_soon(changed) == 0


def change_password(vault: Vault, login: str) -> None:
    new = vault.premises.root.with_name("new-password")
    new.write_text("Sureau-Balise-58-Cerise")
    vault.premises.vault.environment["SERMENT_NEW_PASSWORD_FILE"] = str(new)
    vault.run("member", "password", "--as", login)


def secure(path: Path, synchronous: str) -> sqlite3.Connection:
    return connections.connect(path, synchronous)


def careless(path: Path, synchronous: str) -> sqlite3.Connection:
    """A connection that leaves deleted rows where they lay."""
    connection = connections.connect(path, synchronous)
    connection.execute("PRAGMA secure_delete = OFF").fetchall()
    return connection


@pytest.mark.parametrize(
    ("connect", "rewritten", "left"), [(careless, False, True), (secure, True, False)]
)
def test_a_store_that_forgets_badly_is_seen(
    founded: Premises,
    tmp_path: Path,
    connect: Callable[..., sqlite3.Connection],
    rewritten: bool,
    left: bool,
) -> None:
    """A seeded weakness: without `secure_delete` and without rewriting, pieces stay."""
    premises = founded.copy(tmp_path)
    blobs = list(remains.wraps(premises.root).values())
    with closing(connect(premises.root / "vault.sqlite3", "FULL")) as connection:
        connection.execute("DELETE FROM wrap WHERE rowid % 2 = 0")
        if rewritten:
            residue.rewrite(connection)
        residue.empty_log(connection)
    (premises.root / "keys.copy").unlink()
    kept = set(remains.wraps(premises.root).values())
    gone = [blob for blob in blobs if blob not in kept]
    assert len(gone) > 5
    assert bool(left_in(gone, premises.root)) is left
