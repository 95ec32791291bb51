"""`serment member admit` on a terminal shows the newcomer's words and admits nobody without a yes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.e2e.serving import Vault, new_vault

pty = pytest.importorskip("pty", reason="a terminal can be imitated on POSIX systems only")


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    vault = new_vault(tmp_path_factory.mktemp("words"))
    vault.json("member", "add", "remplacant", "--role", "doctor")
    return vault


def _admit(vault: Vault, answer: str, lang: str) -> tuple[int, str]:
    """Exit code and everything shown."""
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "serment", "member", "admit", "remplacant"]
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
        code, shown = _admit(vault, answer, lang)
        assert code == 4, shown
        assert words in shown
        assert _state(vault) == "pending"
    code, shown = _admit(vault, "oui", "fr")
    assert code == 0, shown
    assert words in shown
    assert _state(vault) == "active"
