"""What only the database on disk promises: versions, errors, processes, secrecy, the second copy."""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from serment.adapters import system
from serment.adapters.sqlite import SqliteStore, restore
from serment.adapters.sqlite.connections import connect
from serment.adapters.sqlite.failures import translated
from serment.adapters.sqlite.schema import APPLICATION_ID, STEPS, migrate
from serment.core.crypto.entropy import random_bytes
from serment.core.crypto.merkle import root
from serment.core.journal.entries import Entry, EventKind
from serment.core.records.vault import (
    Member,
    MemberState,
    Patient,
    Role,
    Setting,
    Snapshot,
    StoredObject,
    Wrap,
    WrapKind,
    WrapMethod,
)
from serment.errors import (
    Conflict,
    FormatError,
    IntegrityError,
    NoSpace,
    NotFound,
    SermentError,
    Unavailable,
)

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
VECTORS = Path(__file__).parent.parent.parent / "vectors" / "store"


def open_store(folder: Path) -> SqliteStore:
    return SqliteStore(folder / "vault.sqlite3", folder / "keys.copy")


def entry(kind: EventKind = EventKind.FILED) -> Entry:
    return Entry(kind, NOW, "member-1")


def wrap(subject: str, blob: bytes = b"sealed") -> Wrap:
    return Wrap(WrapKind.PATIENT_IDENTITY, subject, "recovery", 1, WrapMethod.KEY, blob)


def stored(name: str) -> StoredObject:
    return StoredObject(name, "e1", "p" * 32, 64, 1000, b"s" * 32, b"header")


def put(store: SqliteStore, *rows: object) -> None:
    with store.change(entry()) as tx:
        for row in rows:
            tx.put(row)


# Files


def test_what_is_written_is_there_when_opened_again(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    put(store, Setting("practice", b"Cabinet"), wrap("patient:p1"))
    store.add_objects([stored("o1")])
    store.close()
    again = open_store(tmp_path)
    assert again.get(Setting, "practice") == Setting("practice", b"Cabinet")
    assert again.find(Wrap) == [wrap("patient:p1")]
    assert again.count(StoredObject) == 1
    assert again.journal_size() == 1
    again.close()


@pytest.mark.skipif(sys.platform == "win32", reason="no modes of files there")
def test_every_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    put(store, wrap("patient:p1"))
    store.copy_keys()
    put(store, wrap("patient:p2"))
    names = {path.name for path in tmp_path.iterdir()}
    sides = {"vault.sqlite3", "vault.sqlite3-wal", "vault.sqlite3-shm"}
    assert names == {*sides, "keys.copy", "keys.lock"}
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    store.close()


@pytest.mark.parametrize("emptied", [True, False])
def test_a_database_gone_while_its_copy_is_there_is_not_made_anew(
    tmp_path: Path, emptied: bool
) -> None:
    store = open_store(tmp_path)
    put(store, wrap("patient:p1"))
    store.copy_keys()
    store.close()
    (tmp_path / "vault.sqlite3").unlink()
    if emptied:
        (tmp_path / "vault.sqlite3").touch()
    with pytest.raises(IntegrityError):
        open_store(tmp_path)


# Versions


def test_the_first_version_opens(tmp_path: Path) -> None:
    shutil.copy(VECTORS / "v1.sqlite3", tmp_path / "vault.sqlite3")
    store = open_store(tmp_path)
    assert store.check() == []
    member = store.get(Member, "m1")
    assert member == Member(
        *("m1", "anne", (Role.DOCTOR, Role.DPO), ("care", "dpo"), b"public key"),
        *(MemberState.ACTIVE, NOW),
    )
    assert [row.id for _, row in store.objects_after(0, 10)] == ["o1", "o2"]
    assert store.journal_tree().root() == root(one.leaf for one in store.journal())
    assert store.journal_size() == 3
    put(store, wrap("patient:new"))
    assert store.journal_size() == 4
    store.close()


def test_steps_bring_an_older_file_to_the_present_version(tmp_path: Path) -> None:
    shutil.copy(VECTORS / "v1.sqlite3", tmp_path / "vault.sqlite3")
    next_step = "ALTER TABLE patient ADD COLUMN colour TEXT;\nCREATE TABLE extra (a TEXT);\n"
    connection = connect(tmp_path / "vault.sqlite3", "FULL")
    migrate(connection, (*STEPS[:1], next_step))
    migrate(connection, (*STEPS[:1], next_step))
    assert connection.execute("PRAGMA user_version").fetchone() == (2,)
    assert connection.execute("SELECT count(colour) FROM patient").fetchone() == (0,)
    assert connection.execute("SELECT count(*) FROM member").fetchone() == (1,)
    connection.close()


def test_a_step_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    shutil.copy(VECTORS / "v1.sqlite3", tmp_path / "vault.sqlite3")
    connection = connect(tmp_path / "vault.sqlite3", "FULL")
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, (*STEPS[:1], "CREATE TABLE extra (a TEXT);\nNONSENSE;\n"))
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    names = connection.execute("SELECT name FROM sqlite_schema WHERE name = 'extra'").fetchall()
    assert names == []
    connection.close()


def test_a_newer_version_is_refused_with_the_next_step(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    database = sqlite3.connect(tmp_path / "vault.sqlite3")
    database.execute(f"PRAGMA user_version = {len(STEPS) + 1}")
    database.close()
    before = (tmp_path / "vault.sqlite3").read_bytes()
    with pytest.raises(FormatError) as refusal:
        open_store(tmp_path)
    assert refusal.value.advice == "install the newer Serment"
    assert (tmp_path / "vault.sqlite3").read_bytes() == before


def test_the_database_of_another_program_is_refused(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "vault.sqlite3")
    database.execute("CREATE TABLE other (a)")
    database.execute("PRAGMA application_id = 77")
    database.close()
    with pytest.raises(FormatError):
        open_store(tmp_path)
    assert APPLICATION_ID != 77


# Damage


def test_what_is_no_database_is_an_integrity_error(tmp_path: Path) -> None:
    (tmp_path / "vault.sqlite3").write_bytes(b"this is no database " * 500)
    with pytest.raises(IntegrityError):
        open_store(tmp_path)


def test_check_names_damage(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    put(store, *(wrap(f"patient:{number}", random_bytes(600)) for number in range(400)))
    store.close()
    path = tmp_path / "vault.sqlite3"
    data = bytearray(path.read_bytes())
    middle = len(data) // 2 // 4096 * 4096
    data[middle : middle + 4096 * 20] = b"\xff" * (4096 * 20)
    path.write_bytes(data)
    store = open_store(tmp_path)
    assert store.check() != []
    with pytest.raises(IntegrityError):
        store.find(Wrap)
    store.close()


def test_check_names_rows_that_refer_to_nothing(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    outside = sqlite3.connect(tmp_path / "vault.sqlite3")
    outside.execute("INSERT INTO identity_header VALUES ('gone', 1, x'00')")
    outside.commit()
    outside.close()
    assert store.check() == ["a row of identity_header refers to a row of envelope that is gone"]
    store.close()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE member SET state = 'unheard of'",
        "UPDATE member SET roles = 'no json'",
        "UPDATE member SET created = 'yesterday'",
        "UPDATE member SET created = 9223372036854775807",
        "UPDATE member SET roles = '[\"king\"]'",
    ],
)
def test_a_row_that_makes_no_sense_is_an_integrity_error(tmp_path: Path, damage: str) -> None:
    store = open_store(tmp_path)
    put(store, Member("m1", "anne", (), (), b"", MemberState.ACTIVE, NOW))
    outside = sqlite3.connect(tmp_path / "vault.sqlite3")
    outside.execute(damage)
    outside.commit()
    outside.close()
    with pytest.raises(IntegrityError):
        store.get(Member, "m1")
    store.close()


@pytest.mark.parametrize("frontier", ["x''", "x'0000000000000003'", "zeroblob(9)"])
def test_a_damaged_tree_stops_the_journal(tmp_path: Path, frontier: str) -> None:
    store = open_store(tmp_path)
    outside = sqlite3.connect(tmp_path / "vault.sqlite3")
    outside.execute(f"UPDATE journal_tree SET frontier = {frontier}")
    outside.commit()
    outside.close()
    with pytest.raises(IntegrityError):
        store.record(entry())
    with pytest.raises(IntegrityError), store.change(entry()) as tx:
        tx.put(Setting("a", b"1"))
    assert store.count(Setting) == 0
    store.close()


# What SQLite says, in our words


def failing(database: sqlite3.Connection, sql: str) -> SermentError:
    with pytest.raises(SermentError) as failure, translated():
        database.execute(sql)
    return failure.value


def test_errors_of_the_world_become_ours(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    path = tmp_path / "vault.sqlite3"
    one, two = connect(path, "FULL"), connect(path, "FULL")
    two.execute("PRAGMA busy_timeout = 0")
    one.execute("BEGIN IMMEDIATE")
    assert type(failing(two, "BEGIN IMMEDIATE")) is Unavailable
    one.execute("ROLLBACK")
    two.execute("PRAGMA query_only = ON")
    assert type(failing(two, "DELETE FROM setting")) is Unavailable
    one.execute("INSERT INTO setting VALUES ('a', x'00')")
    assert type(failing(one, "INSERT INTO setting VALUES ('a', x'00')")) is Conflict
    one.execute("PRAGMA max_page_count = 1")
    assert type(failing(one, "INSERT INTO setting VALUES ('b', zeroblob(100000))")) is NoSpace
    one.close()
    two.close()
    with pytest.raises(Unavailable), translated():
        connect(tmp_path / "absent" / "vault.sqlite3", "FULL")


def test_a_bug_of_ours_is_not_dressed_up(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    database = connect(tmp_path / "vault.sqlite3", "FULL")
    with pytest.raises(sqlite3.OperationalError), translated():
        database.execute("SELECT nonsense FROM nowhere")
    with pytest.raises(sqlite3.ProgrammingError), translated():
        database.execute("SELECT ?", (1, 2))
    database.close()


def test_a_full_disk_undoes_the_change_and_the_next_one_works(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    with store._durable.lent() as connection:
        connection.execute("PRAGMA max_page_count = 60")
    with pytest.raises(NoSpace):
        put(store, Setting("a", b"1"), Setting("big", bytes(1_000_000)))
    assert store.find(Setting) == []
    assert store.journal_size() == 0
    put(store, Setting("a", b"1"))
    assert store.journal_size() == 1
    assert store.check() == []
    store.close()


# Several processes

WRITER = """
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from serment.adapters import system
from serment.adapters.sqlite import SqliteStore
from serment.core.journal.entries import Entry, EventKind
from serment.core.records.vault import Setting

folder = Path(sys.argv[1])
store = SqliteStore(folder / "vault.sqlite3", folder / "keys.copy")
entry = Entry(EventKind.READ, datetime(2026, 11, 21, tzinfo=UTC), sys.argv[2])
for number in range(40):
    store.record(entry)
    with store.change(entry) as tx:
        tx.put(Setting(f"{sys.argv[2]}-{number}", b""))
    if number == 20:
        store.copy_keys()
store.close()
"""


def test_processes_share_one_journal(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    seen = store.data_version()
    children = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), name])
        for name in ("receiver", "web", "worker")
    ]
    for _ in range(20):
        store.record(entry())
    assert [child.wait(60) for child in children] == [0, 0, 0]
    assert store.data_version() != seen
    logged = list(store.journal())
    assert [one.index for one in logged] == list(range(3 * 80 + 20))
    assert store.journal_tree().root() == root(one.leaf for one in logged)
    assert store.count(Setting) == 120
    assert store.check() == []
    store.close()


KILLED = """
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from serment.adapters import system
from serment.adapters.sqlite import SqliteStore
from serment.core.journal.entries import Entry, EventKind
from serment.core.records.vault import Setting

folder = Path(sys.argv[1])
store = SqliteStore(folder / "vault.sqlite3", folder / "keys.copy")
entry = Entry(EventKind.READ, datetime(2026, 11, 21, tzinfo=UTC), "receiver")
number = 0
while True:
    with store.change(entry) as tx:
        tx.put(Setting(str(number), b""))
    number += 1
    print(number, flush=True)
"""


def test_killed_at_work_every_change_that_ended_is_there(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        done = [int(child.stdout.readline()) for _ in range(50)]
        child.kill()
        done += [int(line) for line in child.stdout if line.endswith("\n")]
    store = open_store(tmp_path)
    assert store.count(Setting) in (done[-1], done[-1] + 1)
    assert store.journal_size() == store.count(Setting)
    assert store.journal_tree().root() == root(one.leaf for one in store.journal())
    assert store.check() == []
    store.close()


# Secrecy


def eights(data: bytes) -> np.ndarray:
    return np.frombuffer(data[: len(data) // 8 * 8], ">u8")


def traces(folder: Path, *groups: list[bytes]) -> list[int]:
    """How many pieces of eight bytes of each group of blobs are in any file of the folder."""
    files = [path.read_bytes() for path in folder.iterdir() if path.is_file()]
    written = np.unique(np.concatenate([eights(f[at:]) for f in files for at in range(8)]))
    pieces = [np.concatenate([eights(blob) for blob in group]) for group in groups]
    places = [np.searchsorted(written, piece) % len(written) for piece in pieces]
    return [int((written[at] == p).sum()) for at, p in zip(places, pieces, strict=True)]


def come_and_go(store: SqliteStore) -> tuple[list[bytes], list[bytes]]:
    """Wraps of different sizes come, change and go for a while: those kept, those gone."""
    choice = random.Random(7)
    kept: dict[str, bytes] = {}
    gone: list[bytes] = []
    for _ in range(60):
        with store.change(entry()) as tx:
            for _ in range(60):
                name = f"e:{choice.getrandbits(64):x}"
                kept[name] = choice.randbytes(choice.choice([60, 1200]))
                tx.put(wrap(name, kept[name]))
            for name in choice.sample(list(kept), min(len(kept), int(114 * choice.random()))):
                gone.append(kept.pop(name))
                if choice.random() < 0.5:
                    kept[name] = choice.randbytes(choice.choice([60, 1200]))
                    tx.put(wrap(name, kept[name]))
                else:
                    tx.delete(wrap(name))
    return list(kept.values()), gone


def test_no_byte_of_a_deleted_wrap_is_left_once_the_keys_are_copied(tmp_path: Path) -> None:
    """Not even where SQLite's balancing had moved it from: without the rewriting, whole wraps are
    found there (seen with SQLite 3.40)."""
    store = open_store(tmp_path)
    kept, gone = come_and_go(store)
    store.copy_keys()
    of_kept, of_gone = traces(tmp_path, kept, gone)
    assert of_kept == sum(len(blob) // 8 for blob in kept)
    assert of_gone == 0
    assert sorted(w.blob for w in store.find(Wrap)) == sorted(kept)
    assert store.check() == []
    store.close()


def test_forgetting_leaves_nothing_in_any_file(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    secret, kept = random_bytes(64), random_bytes(64)
    put(store, wrap("patient:p1", secret), wrap("patient:p2", kept))
    store.copy_keys()
    with store.change(entry()) as tx:
        tx.delete(wrap("patient:p1"))
    assert traces(tmp_path, [kept], [secret]) == [8, 8]
    store.forget()
    assert traces(tmp_path, [kept], [secret]) == [8, 0]
    store.close()


def test_wraps_are_rewritten_only_when_some_were_deleted(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    put(store, wrap("patient:p1"), wrap("patient:p2"))
    store.copy_keys()
    put(store, Setting("a", b"1"))
    assert residue_of(store) == 0
    with store.change(entry()) as tx:
        tx.delete(wrap("patient:p1"))
        tx.put(wrap("patient:p2", b"other"))
        tx.delete(wrap("patient:absent"))
    assert residue_of(store) == 2
    store.copy_keys()
    assert residue_of(store) == 0
    assert [w.blob for w in store.find(Wrap)] == [b"other"]
    store.close()


def residue_of(store: SqliteStore) -> int:
    with store._durable.lent() as connection:
        return int(connection.execute("SELECT wraps FROM residue").fetchone()[0])


def test_forgetting_while_somebody_reads_says_so(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    put(store, wrap("patient:p1"))
    reader = sqlite3.connect(tmp_path / "vault.sqlite3", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM wrap").fetchone()
    with store._durable.lent() as connection:
        connection.execute("PRAGMA busy_timeout = 50")
    with pytest.raises(Unavailable):
        store.forget()
    reader.execute("COMMIT")
    store.forget()
    reader.close()
    store.close()


def test_a_row_that_cannot_be_read_holds_nobody_up(tmp_path: Path) -> None:
    """Not even while somebody keeps the error: what was deleted can be forgotten all the same."""
    store = open_store(tmp_path)
    put(store, *(wrap(f"patient:p{n}") for n in range(300)))
    with store._durable.lent() as connection:
        connection.execute("UPDATE wrap SET kind = 'no such kind' WHERE rowid = 2")
        connection.execute("PRAGMA busy_timeout = 50")
    with pytest.raises(IntegrityError) as kept:
        store.find(Wrap)
    store.forget()
    assert kept.value
    store.close()


# The second copy


def test_the_copy_has_all_but_objects_and_snapshots_and_comes_back(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    put(store, wrap("patient:p1"), Patient("p1", b"sealed", NOW), Snapshot("care", 1, 2, b"snap"))
    put(store, Setting("practice", b"Cabinet"), Setting("packs-replayed", b"p1"))
    store.add_objects([stored("o1")])
    store.record(entry())
    store.copy_keys()
    put(store, wrap("patient:after"))
    journal = list(store.journal())
    store.close()
    (tmp_path / "vault.sqlite3").write_bytes(b"damaged " * 1000)
    with pytest.raises(IntegrityError):
        open_store(tmp_path)
    restore(tmp_path / "vault.sqlite3", tmp_path / "keys.copy", lambda _: None)
    again = open_store(tmp_path)
    assert again.check() == []
    assert again.find(Wrap) == [wrap("patient:p1")]
    assert again.find(Patient) == [Patient("p1", b"sealed", NOW)]
    assert again.find(Setting) == [Setting("practice", b"Cabinet")]
    assert again.count(Snapshot) == again.count(StoredObject) == 0
    assert list(again.journal()) == journal[:3]
    assert again.journal_tree().root() == root(one.leaf for one in journal[:3])
    again.add_objects([stored("o1")])
    put(again, wrap("patient:p2"))
    assert again.journal_size() == 4
    assert (tmp_path / "vault.sqlite3.damaged").read_bytes().startswith(b"damaged ")
    again.close()


def test_the_copy_is_of_one_moment_and_replaces_the_earlier_one(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    put(store, wrap("patient:p1"))
    store.copy_keys()
    first = (tmp_path / "keys.copy").read_bytes()
    (tmp_path / "keys.copy.new").write_bytes(b"left by a copy that was interrupted")
    put(store, wrap("patient:p2"))
    store.copy_keys()
    assert (tmp_path / "keys.copy").read_bytes() != first
    assert not (tmp_path / "keys.copy.new").exists()
    assert (tmp_path / "vault.sqlite3-wal").stat().st_size == 0
    store.close()


def test_a_copy_waits_for_another_process_that_copies(tmp_path: Path) -> None:
    """And then has what was deleted meanwhile no more."""
    store, gone = open_store(tmp_path), wrap("patient:p1", b"the key of a patient")
    put(store, gone)
    with ThreadPoolExecutor() as pool:
        with system.turn(tmp_path / "keys.lock", 1):
            waiting = pool.submit(store.copy_keys)
            with pytest.raises(TimeoutError):
                waiting.result(0.5)
            with store.change(entry()) as tx:
                tx.delete(gone)
        waiting.result()
    assert gone.blob not in (tmp_path / "keys.copy").read_bytes()
    store.close()


def test_many_copies_at_once_leave_a_whole_one(tmp_path: Path) -> None:
    stores = [open_store(tmp_path) for _ in range(3)]
    for number in range(50):
        put(stores[0], wrap(f"patient:p{number}"))
    with ThreadPoolExecutor() as pool:
        for copied in [pool.submit(store.copy_keys) for _ in range(10) for store in stores]:
            copied.result()
    with closing(sqlite3.connect(tmp_path / "keys.copy")) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert copy.execute("SELECT count(*) FROM wrap").fetchone() == (50,)
    for store in stores:
        store.close()


def test_the_log_of_an_interrupted_restoring_is_not_read_as_the_next_ones(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    put(store, wrap("patient:p1"))
    store.copy_keys()
    store.close()
    fresh = tmp_path / "vault.sqlite3.new"
    shutil.copy(tmp_path / "keys.copy", fresh)
    interrupted = SqliteStore(fresh, tmp_path / "keys.copy")
    put(interrupted, wrap("patient:never"))
    logs = {f"{fresh}{side}": Path(f"{fresh}{side}").read_bytes() for side in ("-wal", "-shm")}
    interrupted.close()
    for name, data in logs.items():
        Path(name).write_bytes(data)
    told: list[list[Wrap]] = []

    def tell(path: Path) -> None:
        with closing(SqliteStore(path, tmp_path / "keys.copy")) as before:
            told.append(before.find(Wrap))

    restore(tmp_path / "vault.sqlite3", tmp_path / "keys.copy", tell)
    again = open_store(tmp_path)
    assert told == [again.find(Wrap)] == [[wrap("patient:p1")]]
    again.close()
    assert not [*tmp_path.glob("*.new*")]


def test_restoring_needs_a_sound_copy_and_changes_nothing_without(tmp_path: Path) -> None:
    database, copy = tmp_path / "vault.sqlite3", tmp_path / "keys.copy"
    open_store(tmp_path).close()
    before = database.read_bytes()
    with pytest.raises(NotFound):
        restore(database, copy, lambda _: None)
    copy.write_bytes(b"no database " * 1000)
    with pytest.raises(IntegrityError):
        restore(database, copy, lambda _: None)
    shutil.copy(database, copy)
    newer = sqlite3.connect(copy)
    newer.execute(f"PRAGMA user_version = {len(STEPS) + 1}")
    newer.close()
    with pytest.raises(FormatError):
        restore(database, copy, lambda _: None)
    assert database.read_bytes() == before
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"vault.sqlite3", "keys.copy"}
