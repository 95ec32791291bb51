"""One bit of any column of any table, one row more or one row less: `doctor` or `journal verify` names
it, or it changes nothing that anyone can read; never does somebody read anything wrong.

The tables and their columns are asked of the database itself, so that none can be forgotten.
"""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing, suppress
from typing import Any

import pytest
from tests.e2e.oath.aftermath import complaints
from tests.e2e.oath.premises import Premises, ask
from tests.e2e.oath.test_damage import NAMES, Kept, look

from serment.adapters.sqlite.schema import STEPS
from serment.errors import SermentError

SEED = 8
# What of the database tells nothing and is made again: no patient's data hangs on it.
HARMLESS = {
    ("stored_object", "cursor"): "the order of arrival, for what reads on from where it stopped",
    ("checkpoint", "number"): "the order in which checkpoints are listed",
    ("checkpoint", "at"): "when a checkpoint was made; what it signs says itself how far it goes",
    ("journal", "tombstone"): "read only where the entry was deleted",
    ("snapshot", "circle"): "sealed, and not believed for another circle",
    ("snapshot", "epoch"): "sealed, and not believed for another epoch",
    ("snapshot", "cursor"): "how far a snapshot goes; what is missing is read from the rows",
    ("snapshot", "sealed"): "sealed; what cannot be opened is made again from the rows",
    ("residue", "wraps"): "how many wraps were deleted since their table was last rewritten",
}


def columns() -> list[tuple[str, str]]:
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(";\n".join(STEPS))
        sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        tables = [name for (name,) in database.execute(sql)]
        return [
            (table, column)
            for table in tables
            for (_, column, *_) in database.execute(f"PRAGMA table_info({table})")
        ]


@pytest.fixture(scope="module")
def whole(founded: Premises, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """A vault with every kind of row; never changed: copy it."""
    kept = Kept(founded.copy(tmp_path_factory.mktemp("columns")))
    kept.fill()
    kept.premises.receive(list(kept.sent.values())[:1])  # a repeated instance
    with kept.premises.desk() as desk:
        ask(desk, "search", "docteur", query="")
    return kept


def database(kept: Kept) -> sqlite3.Connection:
    return sqlite3.connect(kept.premises.root / "vault.sqlite3")


def turned(value: Any, luck: random.Random) -> Any:
    """The value with one bit turned over, of the same type."""
    if isinstance(value, int):
        return value ^ (1 << luck.choice((0, 1, 20)))
    raw = bytearray(value.encode() if isinstance(value, str) else value)
    raw[luck.randrange(len(raw))] ^= 1 << luck.randrange(8)
    return bytes(raw)


def noticed(kept: Kept) -> list[str]:
    """What `doctor` and `journal verify` say."""
    said = [f"{f['message']} {f['values']}" for f in complaints(kept.premises)]
    try:
        with kept.premises.desk() as desk:
            found = ask(desk, "journal verify")
    except SermentError as refusal:
        return [*said, str(refusal)]
    return said + ([] if found["ok"] else [str(found)])


def check_nothing_wrong_is_read(kept: Kept) -> None:
    for login in ("docteur", "secretaire"):
        try:
            seen = look(kept, login)
        except SermentError:
            continue
        assert seen.wrong == []
        assert all(refusal.advice for refusal in seen.refusals)
        assert seen.names <= NAMES


def test_an_untouched_vault_has_nothing_to_say(kept: Kept) -> None:
    assert noticed(kept) == []
    with closing(database(kept)) as rows:
        empty = {t for t, _ in columns() if not rows.execute(f"SELECT 1 FROM {t}").fetchone()}
    assert empty == set()
    assert HARMLESS.keys() <= set(columns())


@pytest.mark.parametrize(("table", "column"), columns())
def test_one_bit_of_a_column(kept: Kept, table: str, column: str) -> None:
    luck = random.Random(f"{SEED} {table} {column}")
    with closing(database(kept)) as rows:
        rows.execute("PRAGMA ignore_check_constraints = ON")
        found = rows.execute(
            f'SELECT rowid, typeof("{column}"), "{column}" FROM {table} WHERE "{column}" NOT NULL'
        ).fetchall()
        if not found:
            rows.execute(f'UPDATE {table} SET "{column}" = 1')
        else:
            rowid, kind, value = luck.choice(found)
            cast = f"CAST(? AS {kind})"
            sql = f'UPDATE {table} SET "{column}" = {cast} WHERE rowid = ?'
            while True:
                with suppress(sqlite3.IntegrityError):  # another one has that number or name
                    rows.execute(sql, (turned(value, luck), rowid))
                    break
        rows.commit()
    said = noticed(kept)
    check_nothing_wrong_is_read(kept)
    assert bool(said) is ((table, column) not in HARMLESS), (said, found)


TABLES = sorted({table for table, _ in columns()} - {"snapshot", "residue", "checkpoint"})


@pytest.mark.parametrize("table", TABLES)
def test_one_row_less(kept: Kept, table: str) -> None:
    with closing(database(kept)) as rows:
        rows.execute(f"DELETE FROM {table} WHERE rowid = (SELECT max(rowid) FROM {table})")
        rows.commit()
    said = noticed(kept)
    check_nothing_wrong_is_read(kept)
    assert said


@pytest.mark.parametrize("table", [t for t in TABLES if t != "journal_tree"])
def test_one_row_more(kept: Kept, table: str) -> None:
    """A row like another one, under a name and number of its own, as somebody may choose them."""
    key = {"setting": "key", "wrap": "subject", "identity_header": "number", "journal": "number"}
    with closing(database(kept)) as rows:
        name = key.get(table, "id")
        mine = 999 if name == "number" else "f" * 32
        rows.execute(f"CREATE TEMP TABLE one AS SELECT * FROM {table} LIMIT 1")
        rows.execute(f"UPDATE one SET {name} = ?", (mine,))
        for column in {"login", "cursor", "patient"} & {c for t, c in columns() if t == table}:
            if (table, column) != ("envelope", "patient"):
                rows.execute(f"UPDATE one SET {column} = -7")
        rows.execute(f"INSERT INTO {table} SELECT * FROM one")
        rows.commit()
    said = noticed(kept)
    check_nothing_wrong_is_read(kept)
    assert said
    if table not in ("stored_object", "journal"):  # they are counted: named is where one is more
        assert any(str(mine) in each for each in said), said
