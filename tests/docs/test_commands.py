"""The commands shown in the README work as shown, and starting one stays light."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PASSWORD = "correct cheval pile agrafe nuage violon tasse"
NOBODY = "127.77.0.7"  # of this machine, away from what other tests serve
LASTING = ("serment serve", "serment demo")  # tests/e2e: serving.py, test_demo.py


def shown(document: str) -> list[str]:
    """The `serment` lines of a document's code blocks, in order."""
    text = (ROOT / document).read_text(encoding="utf-8")
    blocks = re.findall(r"^```\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("serment ") and not line.startswith(LASTING)]


class Shell:
    """Runs commands with one vault and one password, as the README's reader would."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.vault, self.kit = folder, folder / "vault", folder / "kit"
        password = folder / "password"
        password.write_text(PASSWORD + "\n")
        self.environ = {
            **os.environ,
            "SERMENT_VAULT": str(self.vault),
            "SERMENT_PASSWORD_FILE": str(password),
            "LC_ALL": "C.UTF-8",
            "PYTHONPATH": str(ROOT / "src"),
        }

    def run(self, line: str) -> subprocess.CompletedProcess[str]:
        for shown, here in (
            *(("/srv/serment", str(self.vault)), ("/media/usb", str(self.kit))),
            ("scan network ", f"scan network {NOBODY} "),  # never whom this network leads to
        ):
            line = line.replace(shown, here)
        words = shlex.split(line)
        command = [sys.executable, "-m", "serment", *words[1:]]
        return subprocess.run(
            command,
            env=self.environ,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A shell in which the README's commands were run, each with success."""
    shell = Shell(tmp_path_factory.mktemp("readme"))
    for line in shown("README.md"):
        done = shell.run(line)
        well = (0, 1) if line.startswith("serment scan") else (0,)  # 1: this machine has findings
        assert done.returncode in well, f"{line}: {done.stdout}{done.stderr}"
    return shell


def test_the_readmes_commands_work(shell: Shell) -> None:
    assert len(shown("README.md")) >= 4
    members = json.loads(shell.run("serment member list --json").stdout)
    assert {row["login"]: row["state"] for row in members} == {"anne": "active", "zoe": "active"}
    devices = json.loads(shell.run("serment device list --json").stdout)
    assert {row["name"] for row in devices} == {"scanner", "test"}


def test_the_kit_is_three_shares_as_text_and_paper(shell: Shell) -> None:
    names = sorted(path.suffix for path in shell.kit.iterdir())
    assert names == [".pdf"] * 3 + [".txt"] * 3


def test_errors_are_sentences_for_people_and_values_for_programs(shell: Shell) -> None:
    told = shell.run("serment show 1.2.3 --as nobody")
    assert told.returncode == 4
    assert told.stdout == ""
    assert re.match(r"serment: error: .+\nserment: hint: .+\n", told.stderr)
    valued = shell.run("serment show 1.2.3 --as nobody --json")
    assert valued.returncode == 4
    error = json.loads(valued.stdout)["error"]
    assert error["kind"] == "access-denied"
    assert set(error) == {"kind", "message", "hint"}
    french = shell.run("serment show 1.2.3 --as nobody --lang fr")
    assert french.stderr.startswith("serment: erreur\u00a0: ")
    assert "l\u2019identifiant" in french.stderr


def test_usage_mistakes_have_their_code(shell: Shell) -> None:
    assert shell.run("serment search").returncode == 2
    assert shell.run("serment no-such-command").returncode == 2
    assert shell.run("serment --help").returncode == 0


HEAVY = {"numpy", "pydicom", "pynetdicom", "PIL", "typst", "babel", "uvicorn", "starlette", "gdcm"}


def test_help_loads_nothing_heavy() -> None:
    """What makes `serment --help` slow is imports: each of these takes a tenth of a second."""
    code = (
        "import sys\n"
        "from serment.__main__ import main\n"
        "sys.argv = ['serment', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "sys.stderr.write(' '.join(sorted(sys.modules)))"
    )
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
    )
    assert "serment" in done.stdout
    assert HEAVY & set(done.stderr.split()) == set()
