"""The journal of a real vault under somebody with sqlite3: what he edits, removes, reorders or cuts
is found and placed; with the signing key too, as soon as a checkpoint was kept elsewhere."""

from __future__ import annotations

import hashlib
import io
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.oath.premises import Premises, ask
from tests.e2e.serving import serving
from tests.practices import patient, report, study

from serment.adapters.memory.clock import MemoryClock
from serment.adapters.sqlite.store import SqliteStore
from serment.adapters.system import SystemClock
from serment.app.watch.checkpoints import Checkpoints
from serment.app.watch.expiry import expire
from serment.bootstrap.folder import open_folder
from serment.bootstrap.house import alone
from serment.bootstrap.world import RealWorld
from serment.core.crypto.merkle import Frontier
from serment.core.crypto.secret import Seed
from serment.core.journal.checkpoints import Checkpoint, origin, sign_checkpoint
from serment.core.journal.verify import (
    CHANGED,
    CUT,
    DELETED,
    FALSE_TOMBSTONE,
    KEPT_DIFFERS,
    MISSING,
    NEVER_SIGNED,
    REWRITTEN,
)
from serment.entrypoints.cli.app import main
from serment.errors import FormatError, IntegrityError, SermentError, Unavailable

FINDINGS = 1


@dataclass(frozen=True)
class Line:
    """One row of the journal."""

    leaf: bytes
    salt: bytes | None
    body: bytes | None
    tombstone: bytes | None = None

    def saying(self, body: bytes) -> Line:
        """Other words, and the leaf that goes with them."""
        salt = self.salt or bytes(32)
        return replace(self, body=body, leaf=hashlib.sha256(b"\0" + salt + body).digest())


@dataclass
class Log:
    """The journal as whoever has the database can rewrite it."""

    lines: list[Line]
    numbers: list[int]
    checkpoints: list[tuple[int, int, str, int]]  # number, size, note, at

    @classmethod
    def read(cls, database: sqlite3.Connection) -> Log:
        found = database.execute(
            "SELECT number, leaf, salt, body, tombstone FROM journal"
        ).fetchall()
        kept = database.execute("SELECT number, size, note, at FROM checkpoint").fetchall()
        return cls([Line(*row[1:]) for row in found], [row[0] for row in found], kept)

    def write(self, database: sqlite3.Connection) -> None:
        """With a state of the tree that fits: a careful forger leaves no loose end."""
        tree = Frontier()
        database.execute("DELETE FROM journal")
        database.execute("DELETE FROM checkpoint")
        for number, line in zip(self.numbers, self.lines, strict=True):
            row = (number, line.leaf, line.salt, line.body, line.tombstone)
            database.execute("INSERT INTO journal VALUES (?, ?, ?, ?, ?)", row)
            tree.append(line.leaf)
        for row in self.checkpoints:
            database.execute("INSERT INTO checkpoint VALUES (?, ?, ?, ?)", row)
        database.execute("UPDATE journal_tree SET frontier = ?", (tree.encode(),))

    def root(self, size: int) -> bytes:
        tree = Frontier()
        for line in self.lines[:size]:
            tree.append(line.leaf)
        return tree.root()

    def cut(self, size: int) -> None:
        del self.lines[size:], self.numbers[size:]

    def renumber(self) -> None:
        self.numbers = list(range(len(self.lines)))


@contextmanager
def rewriting(premises: Premises) -> Iterator[Log]:
    with closing(sqlite3.connect(premises.root / "vault.sqlite3")) as database, database:
        log = Log.read(database)
        yield log
        log.write(database)


@dataclass
class Past:
    """A vault with a history, the checkpoint somebody kept, and where it stands."""

    premises: Premises
    kept: str
    kept_size: int

    def copy(self, folder: Path) -> Past:
        return Past(self.premises.copy(folder), self.kept, self.kept_size)


@pytest.fixture(scope="module")
def history(founded: Premises, tmp_path_factory: pytest.TempPathFactory) -> Past:
    premises = founded.copy(tmp_path_factory.mktemp("history"))
    for number in range(1, 5):
        premises.receive([report(study(patient(number), number))])
        with premises.desk() as desk:
            ask(desk, "search", "docteur", query="")
        if number == 2:
            with premises.desk() as desk:
                kept = ask(desk, "journal checkpoint")
    return Past(premises, kept, int(kept.splitlines()[1]))


@pytest.fixture
def past(history: Past, tmp_path: Path) -> Past:
    return history.copy(tmp_path)


def verify(
    past: Past, kept: str | None = None, lang: str = "en"
) -> tuple[int, dict[str, Any], str]:
    """`serment journal verify`: exit code, its JSON, and what it says to a person."""
    words = ["journal", "verify", "--vault", str(past.premises.root), "--lang", lang]
    if kept is not None:
        file = past.premises.root.parent / "kept"
        file.write_text(kept)
        words += ["--checkpoint", str(file)]
    code, answer = _typed([*words, "--json"])
    assert _typed(words)[0] == code
    return code, json.loads(answer), _typed(words)[1]


def _typed(words: list[str]) -> tuple[int, str]:
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        code = main(RealWorld(), words)
    return code, out.getvalue()


def check_found(past: Past, first_bad: int, reason: str, kept: str | None = None) -> None:
    code, verdict, said = verify(past, kept)
    assert code == FINDINGS
    assert (verdict["ok"], verdict["first_bad"], verdict["reason"]) == (False, first_bad, reason)
    assert f"from entry {first_bad} on" in said
    assert reason in said


def signed_before(past: Past, index: int) -> int:
    """The size of the last checkpoint that does not cover that entry."""
    with closing(sqlite3.connect(past.premises.root / "vault.sqlite3")) as database:
        sizes = [size for _, size, _, _ in Log.read(database).checkpoints]
    return max((size for size in sizes if size <= index), default=0)


def test_untouched_it_is_whole(past: Past) -> None:
    for kept in (None, past.kept):
        code, verdict, said = verify(past, kept)
        assert (code, verdict["ok"], verdict["first_bad"]) == (0, True, None)
        assert verdict["entries"] > past.kept_size > 20
        assert said.startswith("Whole")


# Without the signing key


def test_an_edited_entry(past: Past) -> None:
    at = past.kept_size + 2
    with rewriting(past.premises) as log:
        body = (log.lines[at].body or b"").replace(b'"actor":"', b'"actor":"x', 1)
        assert body != log.lines[at].body
        log.lines[at] = replace(log.lines[at], body=body)
    check_found(past, at, CHANGED)


def test_an_edited_entry_with_a_leaf_that_fits(past: Past) -> None:
    at = past.kept_size + 2
    with rewriting(past.premises) as log:
        log.lines[at] = log.lines[at].saying(b'{"actor":"x"}')
    check_found(past, signed_before(past, at), REWRITTEN)


@pytest.mark.parametrize("closed", [False, True], ids=["a gap", "the gap closed"])
def test_a_removed_entry(past: Past, closed: bool) -> None:
    at = past.kept_size + 3
    with rewriting(past.premises) as log:
        del log.lines[at], log.numbers[at]
        if closed:
            log.renumber()
    if closed:
        check_found(past, signed_before(past, at), REWRITTEN)
    else:
        check_found(past, at, MISSING)


def test_entries_in_another_order(past: Past) -> None:
    at = past.kept_size + 1
    with rewriting(past.premises) as log:
        log.lines[at], log.lines[at + 1] = log.lines[at + 1], log.lines[at]
    check_found(past, signed_before(past, at), REWRITTEN)


def test_an_invented_entry(past: Past) -> None:
    at = past.kept_size + 1
    with rewriting(past.premises) as log:
        log.lines.insert(at, log.lines[at].saying(log.lines[at].body or b""))
        log.renumber()
    check_found(past, signed_before(past, at), REWRITTEN)


def test_a_cut_end(past: Past) -> None:
    with rewriting(past.premises) as log:
        log.cut(len(log.lines) - 2)
        size = len(log.lines)
    check_found(past, size, CUT)


def _saying_more(line: Line, **more: object) -> Line:
    return line.saying(json.dumps({**json.loads(line.body or b""), **more}).encode())


# What he may write into the first entry that no checkpoint signs any more, to be believed.
FORGERIES = {
    "nothing more": {},
    "a future time": {"at": "2200-01-01T00:00:00+00:00"},
    "no time": {"at": "then"},
    "an unknown kind": {"kind": "x"},
}


@pytest.mark.parametrize("forged", FORGERIES.values(), ids=FORGERIES)
def test_checkpoints_taken_away(past: Past, forged: dict[str, object]) -> None:
    """The next run of Serment must not sign what he made of it, however often it runs."""
    with rewriting(past.premises) as log:
        log.checkpoints = []
        log.lines[7] = log.lines[7].saying((log.lines[7].body or b"").replace(b"admin", b"nobody"))
        log.lines[0] = _saying_more(log.lines[0], **forged)
    for _ in range(2):
        check_found(past, 0, NEVER_SIGNED)
    past.premises.receive([report(study(patient(9), 9))])
    check_found(past, 0, NEVER_SIGNED)


@pytest.mark.parametrize("forged", FORGERIES.values(), ids=FORGERIES)
def test_checkpoints_of_the_end_taken_away(past: Past, forged: dict[str, object]) -> None:
    """What the server signs late, it says: the kept checkpoint tells whether it was changed."""
    kept = _newest_note(past)
    with rewriting(past.premises) as log:
        first = log.checkpoints[0][1]
        log.checkpoints = log.checkpoints[:1]
        changed = len(log.lines) - 3
        log.lines[changed] = log.lines[changed].saying(log.lines[changed - 1].body or b"")
        log.lines[first] = _saying_more(log.lines[first], **forged)
        size = len(log.lines)
    assert verify(past)[0] == 0  # the end of a command signs
    signed = _run_worker_once(past)
    code, verdict, said = verify(past)
    assert (code, verdict["ok"]) == (0, True)
    assert verdict["late"] >= size - first
    assert f"{verdict['late']} entries were signed late" in said
    assert signed
    check_found(past, 0, KEPT_DIFFERS, kept)


def _newest_note(past: Past) -> str:
    with closing(sqlite3.connect(past.premises.root / "vault.sqlite3")) as database:
        return max(Log.read(database).checkpoints, key=lambda row: row[1])[2]


def _run_worker_once(past: Past) -> bool:
    """What the worker does every minute; whether it signed, then or before."""
    folder = open_folder(past.premises.root)
    store = SqliteStore(folder.database, folder.key_copy)
    key = Seed(folder.journal_key.read_bytes())
    try:
        Checkpoints(store, SystemClock(), key, folder.vault).sign_if_changed()
        return store.checkpoints()[-1].size == store.journal_size()
    finally:
        store.close()


def test_a_server_that_starts_and_stops_finds_and_leaves_nothing_unsigned(past: Past) -> None:
    before = verify(past)[1]["late"]
    for _ in range(2):
        with serving(past.premises.vault):
            past.premises.vault.json("status")
    code, verdict, _ = verify(past, past.kept)
    assert (code, verdict["ok"], verdict["late"], verdict["unsigned"]) == (0, True, before, 0)


def test_a_server_says_what_it_finds_unsigned(past: Past) -> None:
    before = verify(past)[1]["late"]
    with rewriting(past.premises) as log:
        first, size = log.checkpoints[0][1], len(log.lines)
        log.checkpoints = log.checkpoints[:1]
    with serving(past.premises.vault):
        pass
    assert verify(past)[1]["late"] == before + size - first


@pytest.mark.parametrize("failure", [FormatError, IntegrityError, Unavailable])
def test_a_command_leaves_the_vault_closed_whether_it_could_sign_or_not(
    past: Past, monkeypatch: pytest.MonkeyPatch, failure: type[SermentError]
) -> None:
    def fails(_: Checkpoints) -> None:
        raise failure("no")

    monkeypatch.setattr(Checkpoints, "sign_if_changed", fails)
    told = pytest.raises(failure) if failure is Unavailable else nullcontext()
    log_ahead = past.premises.root / "vault.sqlite3-wal"  # of a database that is open
    with told, alone(past.premises.root) as (_, house):
        assert house.store.journal_size()
        assert log_ahead.exists()
    assert not log_ahead.exists()


@pytest.mark.parametrize(
    ("tombstone", "reason"), [(None, DELETED), (b"{}", FALSE_TOMBSTONE)], ids=["none", "false"]
)
def test_a_deleted_body(past: Past, tombstone: bytes | None, reason: str) -> None:
    at = past.kept_size + 1
    with rewriting(past.premises) as log:
        log.lines[at] = replace(log.lines[at], salt=None, body=None, tombstone=tombstone)
    check_found(past, at, reason)


def test_cut_back_to_an_earlier_checkpoint(past: Past) -> None:
    """Log and checkpoints cut back together: nothing here shows it, the kept checkpoint does."""
    with rewriting(past.premises) as log:
        size = min(size for _, size, _, _ in log.checkpoints if size > 5)
        log.cut(size)
        log.checkpoints = [row for row in log.checkpoints if row[1] <= size]
    assert size < past.kept_size
    assert verify(past)[1]["ok"] is True
    check_found(past, size, CUT, past.kept)


# With the signing key, which is on the server


def sign_anew(past: Past, change: Callable[[Log], None]) -> None:
    """Change the log, then sign every checkpoint for what it has become."""
    folder = open_folder(past.premises.root)
    _sign_anew(past, Seed(folder.journal_key.read_bytes()), change)


def _sign_anew(past: Past, key: Seed, change: Callable[[Log], None]) -> None:
    name = origin(open_folder(past.premises.root).vault)
    with rewriting(past.premises) as log:
        change(log)
        log.checkpoints = [
            (number, size, sign_checkpoint(Checkpoint(size, log.root(size)), name, key), at)
            for number, size, _, at in log.checkpoints
            if size <= len(log.lines)
        ]


def _edit(at: int) -> Callable[[Log], None]:
    def change(log: Log) -> None:
        body = (log.lines[at].body or b"").replace(b'"actor":"', b'"actor":"x', 1)
        log.lines[at] = log.lines[at].saying(body)

    return change


def _swap(log: Log) -> None:
    log.lines[4], log.lines[5] = log.lines[5], log.lines[4]


def _remove(log: Log) -> None:
    del log.lines[6]
    log.renumber()


@pytest.mark.parametrize("change", [_edit(3), _swap, _remove], ids=["edit", "swap", "remove"])
def test_with_the_key_only_a_kept_checkpoint_tells(
    past: Past, change: Callable[[Log], None]
) -> None:
    sign_anew(past, change)
    assert verify(past)[1]["ok"] is True  # the threat model says so
    check_found(past, 0, KEPT_DIFFERS, past.kept)


def test_with_the_key_a_cut_is_seen_against_the_kept_checkpoint(past: Past) -> None:
    size = signed_before(past, past.kept_size - 1)
    sign_anew(past, lambda log: log.cut(size))
    check_found(past, size, CUT, past.kept)


def test_after_the_kept_checkpoint_the_key_rewrites_unseen(past: Past) -> None:
    """The stated limit: what nobody kept a checkpoint of."""
    sign_anew(past, _edit(past.kept_size + 2))
    assert verify(past, past.kept)[1]["ok"] is True


# Expiry


def test_expired_entries_read_expired_and_prove_the_rest(past: Past) -> None:
    folder = open_folder(past.premises.root)
    store = SqliteStore(folder.database, folder.key_copy)
    key = Seed(folder.journal_key.read_bytes())
    later = MemoryClock(SystemClock().now() + timedelta(days=400))
    size = store.journal_size()
    gone = expire(store, later, key, folder.vault)
    store.close()
    assert 5 < gone <= size
    code, verdict, said = verify(past, past.kept)
    assert (code, verdict["ok"], verdict["expired"]) == (0, True, gone)
    assert f"{gone} of them expired" in said
    said = _typed(["journal", "list", "--vault", str(past.premises.root), "--last", "1000"])[1]
    assert said.count("expired") >= gone
    assert "removed" not in said.replace("member-removed", "")
    # and no tombstone covers another entry
    with rewriting(past.premises) as log:
        dead = next(i for i, line in enumerate(log.lines) if line.tombstone)
        alive = next(i for i, line in enumerate(log.lines) if line.body and i < size)
        tombstone = log.lines[dead].tombstone
        log.lines[alive] = replace(log.lines[alive], salt=None, body=None, tombstone=tombstone)
    code, verdict, _ = verify(past, past.kept)
    assert (code, verdict["reason"]) == (FINDINGS, FALSE_TOMBSTONE)
