"""Recoverable without us: a third party's age reader opens what `recover --sealed` exports; and what
is damaged is named, and stops nothing else."""

from __future__ import annotations

import base64
import json
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.e2e.serving import new_vault
from tests.practices import patient, report, study

READER = Path(__file__).resolve().parent.parent / "tools" / "age_open.js"


@pytest.mark.real("node")
def test_the_kit_and_a_stock_reader_are_enough(tmp_path: Path, tool: Callable[[str], str]) -> None:
    vault = new_vault(tmp_path)
    sent = [report(study(patient(number), number)) for number in (1, 2, 3)]
    for number, data in enumerate(sent):
        (tmp_path / f"{number}.dcm").write_bytes(data)
    vault.json("import", *sorted(tmp_path.glob("*.dcm")))
    vault.json("search", "", "--as", "docteur")  # files: wraps now lead through the patient
    shares = [vault.kit / f"serment-share-{number}-of-3.txt" for number in (2, 3)]
    out = tmp_path / "out"
    result = vault.json("recover", *shares, "-o", out, "--sealed")
    assert result == {"objects": 3, "envelopes": 3, "damaged": []}
    asked = [
        {
            "identity": _identity(path.parent / "age-identity.txt"),
            "file": base64.b64encode(path.read_bytes()).decode(),
        }
        for path in sorted(out.rglob("*.age"))
    ]
    opened = [base64.b64decode(answer["plain"]) for answer in _ask(tool("node"), asked)]
    assert sorted(opened) == sorted(sent)
    # Without the identity, or with another envelope's, nothing opens.
    swapped = [{**asked[0], "identity": asked[1]["identity"]}]
    assert "error" in _ask(tool("node"), swapped)[0]
    # One damaged byte costs what it leads to, and the command says so.
    lost = _damage(vault.root / "vault.sqlite3")
    result = vault.json("recover", *shares, "-o", tmp_path / "rest", code=3)
    assert result == {"objects": 2, "envelopes": 2, "damaged": [lost]}
    files = [path.read_bytes() for path in (tmp_path / "rest").rglob("*.dcm")]
    assert len(files) == 2
    assert set(files) < set(sent)
    assert lost in vault.run("recover", *shares, "-o", tmp_path / "again", code=3).out


def _damage(path: Path) -> str:
    """Flip one bit of every wrap that leads to one envelope (one once it is filed, else two); the
    envelope's id."""
    with closing(sqlite3.connect(path)) as database, database:
        sql = "SELECT subject FROM wrap WHERE kind = 'envelope-seed' LIMIT 1"
        (subject,) = database.execute(sql).fetchone()
        wraps = database.execute("SELECT rowid, blob FROM wrap WHERE subject = ?", (subject,))
        for row, blob in wraps.fetchall():
            changed = blob[:30] + bytes([blob[30] ^ 1]) + blob[31:]
            database.execute("UPDATE wrap SET blob = ? WHERE rowid = ?", (changed, row))
    return str(subject.removeprefix("envelope:"))


def _identity(path: Path) -> str:
    (line,) = [one for one in path.read_text().splitlines() if one.startswith("AGE-SECRET-KEY-PQ-")]
    return line


def _ask(node: str, asked: list[dict[str, str]]) -> list[dict[str, str]]:
    done = subprocess.run(
        [node, str(READER)],
        input="\n".join(map(json.dumps, asked)),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]
