"""On a terminal, whoever admits a member or accepts a circle is shown the words of the key, and
without a yes nothing is given."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from tests.e2e.serving import Vault, new_vault

ADMIT = ("member", "admit", "remplacant")
ACCEPT = ("circle", "accept", "dpo")

pty = pytest.importorskip("pty", reason="a terminal can be imitated on POSIX systems only")


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    vault = new_vault(tmp_path_factory.mktemp("words"))
    vault.json("member", "add", "remplacant", "--role", "doctor")
    return vault


def _ask(vault: Vault, asked: tuple[str, ...], answer: str, lang: str) -> tuple[int, str]:
    """Exit code and everything shown."""
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "serment", *asked]
    process = subprocess.Popen(
        [*command, "--as", "docteur", "--lang", lang],
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **vault.environment},
    )
    os.close(slave)
    os.write(master, f"{answer}\n".encode())
    shown, _ = process.communicate(timeout=120)
    os.close(master)
    return process.returncode, shown.decode()


def _state(vault: Vault) -> str:
    (row,) = [row for row in vault.json("member", "list") if row["login"] == "remplacant"]
    return str(row["state"])


def test_only_a_yes_admits(vault: Vault, tmp_path: Path) -> None:
    words = " ".join(vault.json("member", "list")[-1]["words"])
    for answer, lang in (("no", "en"), ("", "en"), ("non", "fr"), ("peut-être", "fr")):
        code, shown = _ask(vault, ADMIT, answer, lang)
        assert code == 4, shown
        assert words in shown
        assert _state(vault) == "pending"
    code, shown = _ask(vault, ADMIT, "oui", "fr")
    assert code == 0, shown
    assert words in shown
    assert _state(vault) == "active"


def test_only_a_yes_accepts_a_circle(vault: Vault) -> None:
    """The next key of the DPO's circle, which nothing the doctor holds vouches for."""
    with closing(sqlite3.connect(vault.root / "vault.sqlite3")) as database, database:
        database.execute(
            "INSERT INTO circle SELECT id, kind, 2, randomblob(1216), created, 0, 0 FROM circle "
            "WHERE id = 'dpo'"
        )
    for answer, lang in (("no", "en"), ("", "fr")):
        code, shown = _ask(vault, ACCEPT, answer, lang)
        assert code == 4, shown
        assert _words(vault) in shown
        vault.json("file", "0" * 32, "--as", "docteur", code=None)  # a sign-in looks at the circles
        assert _is_stopped(vault)
    code, shown = _ask(vault, ACCEPT, "oui", "fr")
    assert code == 0, shown
    assert not _is_stopped(vault)


def _words(vault: Vault) -> str:
    (row,) = [row for row in vault.json("circle", "list") if row["circle"] == "dpo"]
    return " ".join(row["words"])


def _is_stopped(vault: Vault) -> bool:
    (row,) = [row for row in vault.json("circle", "list") if row["circle"] == "dpo"]
    return bool(row["stopped"])
