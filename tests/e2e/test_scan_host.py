"""`serment scan host` on this machine: its answers, its exit code, and that it only reads."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from serment.core.exposure.posture.registry import examine
from serment.core.exposure.posture.verdict import System

ROOT = Path(__file__).resolve().parent.parent.parent
KEYS = {"id", "result", "evidence", "remedy", "title", "article", "commandment", "sheets"}


def serment(
    home: Path, *words: str, before: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PYTHONPATH": str(ROOT / "src"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LC_ALL": "C.UTF-8",
        "COLUMNS": "100",
    }
    command = [*before, sys.executable, "-m", "serment", "scan", "host", *words]
    return subprocess.run(
        command, env=environ, cwd=home, capture_output=True, text=True, check=False, timeout=120
    )


def test_the_contract(tmp_path: Path) -> None:
    done = serment(tmp_path, "--json")
    checks = json.loads(done.stdout)["checks"]
    assert [each["id"] for each in checks] == [f"H{number:02d}" for number in range(1, 13)]
    assert all(set(each) == KEYS for each in checks)
    assert {each["result"] for each in checks} <= {"pass", "fail", "unknown"}
    assert all(each["evidence"] and "{" not in each["evidence"] for each in checks)
    assert all(bool(each["remedy"]) == (each["result"] != "pass") for each in checks)
    assert done.returncode == int(any(each["result"] == "fail" for each in checks))


def test_what_a_doctor_reads(tmp_path: Path) -> None:
    done = serment(tmp_path, "--lang", "fr")
    titles = re.findall(r"^(H[0-9]{2})  (À CORRIGER|INCONNU|BON)  ", done.stdout, re.M)
    order = ["À CORRIGER", "INCONNU", "BON"]
    assert sorted(name for name, _ in titles) == [f"H{number:02d}" for number in range(1, 13)]
    assert titles == sorted(titles, key=lambda each: (order.index(each[1]), each[0]))
    assert re.search(r"^[0-9]+ à corriger, [0-9]+ inconnus, [0-9]+ bons$", done.stdout, re.M)
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_a_recording_gives_the_same_answers(tmp_path: Path) -> None:
    kept = tmp_path / "said.json"
    done = serment(tmp_path, "--record", str(kept), "--json")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    value = json.loads(kept.read_text(encoding="utf-8"))
    answers = examine(System(value["system"]), value["said"], datetime.now(UTC))
    shown = {each["id"]: each["result"] for each in json.loads(done.stdout)["checks"]}
    assert shown == {each.check.id: each.verdict.result.value for each in answers}
    before = kept.read_bytes()
    again = serment(tmp_path, "--record", str(kept))
    assert again.returncode == 9
    assert kept.read_bytes() == before


# Caches that gsettings and apt keep for themselves.
OWN = re.compile(r'"(/dev/null|/dev/tty|/tmp|[^"]*/dconf/user|/var/cache/apt/[^"]*)"')


@pytest.mark.real("strace")
def test_it_writes_nothing_and_asks_nobody(tmp_path: Path, tool: Callable[[str], str]) -> None:
    log = tmp_path / "trace"
    calls = "trace=connect,sendto,sendmsg,openat,open,creat,unlink,unlinkat,rename,execve"
    before = (tool("strace"), "-f", "-qq", "-e", calls, "-o", str(log))
    assert serment(tmp_path, "--json", before=before).returncode in (0, 1)
    lines = log.read_text(errors="replace").splitlines()
    assert any('execve("/usr/bin/id"' in line for line in lines)
    assert [line for line in lines if "sa_family=AF_INET" in line] == []
    writing = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|\bcreat\(|\bunlink|\brename\(")
    changed = [line for line in lines if writing.search(line) and not OWN.search(line)]
    assert [line for line in changed if "= -1" not in line] == []
