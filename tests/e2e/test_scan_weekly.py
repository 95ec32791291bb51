"""The weekly audit for real: missed while nothing ran, caught up by a server whose practice is locked
and where nobody signs in, on a service that is really open; kept sealed, and told when it fails."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.e2e.network.running import running
from tests.e2e.serving import Vault, new_vault, serving

from serment.adapters.files.walk import walk
from serment.adapters.memory.clock import MemoryClock
from serment.adapters.network.local import CHILD
from serment.app.find.weekly import plan_weekly
from serment.app.prove.bytesearch import Search
from serment.app.prove.forms import Planted
from serment.bootstrap.house import alone, held_key
from serment.core.exposure.schedule import Plan

HOST, PORT, SILENT = "127.77.4.10", 8888, 8880
PLANTED = "MARCHANDEAU"  # a name in the file, and in the name of another
PATIENCE = 150.0  # seconds


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    return new_vault(tmp_path_factory.mktemp("weekly"), people=False)


@contextmanager
def listed(folder: Path) -> Iterator[None]:
    """A web server that lists extracts of health data to anybody."""
    (folder / "patients.csv").write_text(f"nom;prenom\n{PLANTED};Zoe\n")
    (folder / f"{PLANTED}.dcm").write_bytes(bytes(128) + b"DICM")
    where = ("--bind", HOST, "--directory", str(folder))
    with running(PORT, sys.executable, "-m", "http.server", str(PORT), *where, host=HOST):
        yield


@contextmanager
def silent() -> Iterator[None]:
    """A service that never says a word, so that the audit lasts some seconds."""
    with socket.create_server((HOST, SILENT)):
        yield


@dataclass(frozen=True)
class Talking:
    """A process that talked to the network: names in its environment, files it had open."""

    environment: frozenset[str]
    files: tuple[str, ...]


@contextmanager
def watched(server: int) -> Iterator[list[Talking]]:
    """Looks at the audit's child of that server while it runs."""
    seen, over = list[Talking](), threading.Event()

    def look() -> None:
        while not over.wait(0.1):
            with suppress(psutil.Error):
                for child in psutil.Process(server).children(recursive=True):
                    if CHILD in child.cmdline():
                        files = tuple(each.path for each in child.open_files())
                        seen.append(Talking(frozenset(child.environ()), files))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def missed(vault: Vault, *targets: str) -> None:
    """Somebody switched it on long ago, for an hour that is past."""
    now = datetime.now(UTC)
    hour = now.astimezone() - timedelta(hours=1)
    with alone(vault.root) as (folder, house):
        then = replace(house, clock=MemoryClock(now - timedelta(days=20)))
        plan = Plan(True, hour.weekday(), hour.hour, targets, "Dr Exemple")
        plan_weekly(then, held_key(folder), "local", plan)


def until(vault: Vault, kind: str, count: int) -> list[Any]:
    """Wait for so many entries of that kind, all the while locked."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        status = vault.json("status")
        assert status["locked"]
        assert status["sessions"] == 0
        found = [e for e in vault.json("journal", "list", "--last", "50") if e["kind"] == kind]
        if len(found) >= count:
            return found
        time.sleep(1)
    raise AssertionError(f"no {kind}")


def test_one_that_fails_is_told(vault: Vault) -> None:
    missed(vault, "nobody.invalid")
    with serving(vault):
        (entry,) = until(vault, "scan-failed", 1)
        assert entry["actor"] == "Serment"
        failed = vault.json("scan", "schedule")["failed"]
        assert failed is not None
        assert failed["values"]["name"] == "nobody.invalid"
    said = vault.run("scan", "schedule").out
    assert "Failed on" in said
    assert vault.json("scan", "schedule", "--off")["on"] is False


def test_caught_up_while_locked_and_nobody_there(vault: Vault, tmp_path: Path) -> None:
    missed(vault, HOST)
    assert vault.json("scan", "schedule")["on"]
    with listed(tmp_path), silent(), serving(vault) as server:
        with watched(server.process.pid) as talking:
            (entry,) = until(vault, "scan-made", 1)
        assert talking, "the process that talks was not seen"
        for each in talking:
            assert not each.environment & {"SERMENT_VAULT", "SERMENT_PASSWORD_FILE"}
            assert not [path for path in each.files if path.startswith(str(vault.root))]
        assert entry["actor"] == "Serment"
        told = vault.json("scan", "history")
        (finding,) = [each for each in told["findings"] if each["id"] == "X17"]
        assert (finding["host"], finding["port"], finding["gone"]) == (HOST, PORT, None)
        assert finding["readable"] == {
            "count": 2,
            "capped": False,
            "unit": "files",
        }
        made = vault.json("scan", "schedule")
        assert made["done"] is not None
        assert made["failed"] is None
        assert datetime.fromisoformat(made["next"]) > datetime.now(UTC) + timedelta(days=5)
        nothing_in_clear(vault, server.log)
    with serving(vault):  # a week has not passed
        time.sleep(5)
        assert len(until(vault, "scan-made", 1)) == 1
    assert vault.json("journal", "verify")["ok"]


def nothing_in_clear(vault: Vault, log: Path) -> None:
    """Neither the name that the service shows, nor where it stands, nor who answered for the audit."""
    planted = [Planted("word", PLANTED), Planted("word", "Exemple")]
    sources = [*walk(vault.root), ("log", iter([log.read_bytes()]))]
    outcome = Search(planted).run(sources)
    assert not outcome.found, outcome.found
    whole = b"".join(path.read_bytes() for path in vault.root.rglob("*") if path.is_file())
    for clear in (HOST.encode(), b"SimpleHTTP", b"exposure-plan", b'"X17"'):
        assert clear not in whole, clear
