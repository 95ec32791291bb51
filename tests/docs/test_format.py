"""docs/format.md says what the code does: sizes, tables, columns, limits, links."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest
from tests.sealing import seal_bytes

from serment.adapters.packs.group import PACK_LIMIT
from serment.adapters.sqlite.connections import connect
from serment.adapters.sqlite.residue import CHEAP
from serment.adapters.sqlite.schema import APPLICATION_ID, REBUILT, REBUILT_SETTING, STEPS, migrate
from serment.core.crypto.age import HybridRecipient
from serment.core.crypto.keys import new_seed, public_key
from serment.core.crypto.password import BLOB_BYTES
from serment.core.crypto.wraps import HPKE_WRAP_BYTES, KEY_WRAP_BYTES
from serment.core.records import pack
from serment.core.records.vault import FORMAT_VERSION, WrapKind, WrapMethod

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGE = (DOCS / "format.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The cells of the table whose head begins with that text."""
    table = PAGE.split(f"| {heading}", 1)[1].split("\n\n", 1)[0]
    lines = [line for line in table.split("\n") if line.startswith("|")][1:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def number(cell: str) -> int:
    return int(cell.replace(",", ""))


@pytest.mark.parametrize("row", rows("age file | identity header"), ids="-".join)
def test_worked_sizes_of_records(row: list[str]) -> None:
    age, identity, clinical, total = map(number, row)
    head = pack.build_head("0" * 32, "0" * 32, age, identity + clinical)
    assert pack.parse_head(head).total == total
    trailer = pack.build_trailer(head, age, bytes(32), bytes(identity), bytes(clinical))
    assert len(head) + age + identity + clinical + len(trailer) == total


def test_worked_sizes_of_age_files() -> None:
    recipient = HybridRecipient(public_key(new_seed()))
    header = number(re.search(r"header in front of the payload is ([\d,]+) bytes", PAGE)[1])
    for plain, chunks, payload in rows("plaintext"):
        assert len(seal_bytes(bytes(number(plain)), recipient)) == header + number(payload)
        assert number(payload) == 16 + number(plain) + 16 * number(chunks)


def test_magics_versions_and_limits() -> None:
    for magic in (pack.HEAD_MAGIC, pack.END_MAGIC):
        assert f"`{magic.decode()}`" in PAGE
    assert pack.HEAD_SIZE == 64
    assert pack.TRAILER_SIZE == 88
    assert f"0x{APPLICATION_ID:X}" in PAGE
    assert f"# Format {FORMAT_VERSION} of" in PAGE
    assert f"### Schema {len(STEPS)}\n" in PAGE
    assert f"at most {pack.MAX_AGE >> 20} MiB in a shared pack" in PAGE
    assert f"at most {pack.MAX_HEADER >> 20} MiB each" in PAGE
    assert f"longer than {PACK_LIMIT >> 20} MiB" in PAGE
    assert f"more than {CHEAP:,} wraps" in PAGE
    assert all(f"`{name}`" in PAGE for name in (*REBUILT, REBUILT_SETTING))


def test_every_table_and_column_is_named(tmp_path: Path) -> None:
    (tmp_path / "v.sqlite3").touch()
    database = connect(tmp_path / "v.sqlite3", "FULL")
    migrate(database)
    described = {row[0].strip("`"): row[1] for row in rows("table | columns")}
    assert set(described) == tables(database)
    for table, text in described.items():
        for column in columns(database, table) - {"only"}:
            assert re.search(rf"\b{column}\b", text), f"{table}.{column}"
    database.close()


def tables(database: sqlite3.Connection) -> set[str]:
    sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    return {name for (name,) in database.execute(sql)}


def columns(database: sqlite3.Connection, table: str) -> set[str]:
    return {row[1] for row in database.execute(f"PRAGMA table_info({table})")}


def test_every_wrap_and_method_is_named() -> None:
    assert {row[0].strip("`") for row in rows("kind | subject | recipient |\n")} == {
        k.value for k in WrapKind
    }
    methods = {row[0].strip("`"): number(row[2]) for row in rows("method | blob")}
    assert methods == {
        WrapMethod.HPKE.value: HPKE_WRAP_BYTES,
        WrapMethod.KEY.value: KEY_WRAP_BYTES,
        WrapMethod.PASSWORD.value: BLOB_BYTES,
    }


def test_links_lead_somewhere() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (DOCS / link).exists(), link
