"""`serment scan network` for real, on loopback, with and without a server: found, kept, gone."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.network.running import HOST, free_port, running
from tests.e2e.serving import Vault, new_vault, serving
from tests.unit.entrypoints.test_scan_report import many

from serment.bootstrap.folder import open_folder
from serment.core.exposure.coverage import Looked
from serment.core.exposure.history import Made
from serment.core.exposure.packed import pack
from serment.core.exposure.sighting import Sighting
from serment.core.exposure.written import write_finding, write_made
from serment.core.exposure.written_sighting import write_sighting
from serment.entrypoints.desk.request import Request
from serment.entrypoints.local.client import ask
from serment.entrypoints.local.server import BODY_LIMIT

PLANTED = "MARCHANDEAU"  # a name in the file, and in the name of another


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    return new_vault(tmp_path_factory.mktemp("scan"), people=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two extracts of health data, as somebody left them."""
    folder = tmp_path_factory.mktemp("extracts")
    (folder / "patients.csv").write_text(f"nom;prenom\n{PLANTED};Zoe\n")
    (folder / f"{PLANTED}.dcm").write_bytes(bytes(128) + b"DICM")
    return folder


@contextmanager
def listed(folder: Path) -> Iterator[int]:
    """A web server that lists a folder; its port."""
    port = free_port()
    command = (sys.executable, "-m", "http.server", port, "--bind", HOST, "--directory", folder)
    with running(port, *command):
        yield port


def audit(vault: Vault, port: int, code: int) -> Any:
    return vault.json("scan", "network", HOST, "--ports", str(port), code=code)


def test_found_kept_never_named_and_gone(vault: Vault, folder: Path) -> None:
    with listed(folder) as port:
        answer = audit(vault, port, code=1)
        (finding,) = answer["findings"]
        assert (finding["id"], finding["host"], finding["port"]) == ("X17", HOST, port)
        assert finding["readable"] == {"count": 2, "capped": False, "unit": "files"}
        assert PLANTED not in str(answer)
    gone = audit(vault, port, code=0)["history"]["gone"]
    assert [(each["id"], each["port"]) for each in gone] == [("X17", port)]
    assert (vault.root / "server" / "held.key").stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(vault.root / "vault.sqlite3")) as database:
        sealed = database.execute("SELECT value FROM setting WHERE key = 'exposure-ledger'")
        assert b"X17" not in sealed.fetchone()[0]
    assert vault.json("journal", "verify")["ok"]
    assert [row["kind"] for row in vault.json("journal", "list", "--last", "2")] == [
        "scan-made"
    ] * 2


def test_a_running_server_keeps_it_while_locked(vault: Vault, folder: Path) -> None:
    with listed(folder) as port, serving(vault):
        assert vault.json("status")["locked"]
        history = audit(vault, port, code=1)["history"]
        assert [each["port"] for each in history["open_since"]] == [port]
        where = ("--host", HOST, "--port", str(port))
        until = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
        words = ("accept", "X17", *where, "--by", "Dr Exemple", "--why", "a test", "--until", until)
        assert vault.json("scan", *words)["until"] == until
        assert audit(vault, port, code=0)["history"]["accepted"]
    told = vault.json("scan", "history")
    assert [each["who"] for each in told["accepted"]] == ["Dr Exemple"]


def test_thousands_of_findings_pass_the_socket_and_make_a_report(
    vault: Vault, tmp_path: Path
) -> None:
    report = many(3000)
    left = {
        "findings": [write_finding(each) for each in report.findings],
        "made": write_made(
            Made(report.at, "Dr Exemple", 4000, 3000, Looked(("10.0.0.0/8",), ((1, 65535),)))
        ),
        "seen": write_sighting(Sighting()),
    }
    assert len(json.dumps(left)) > BODY_LIMIT
    page, paper = tmp_path / "all.html", tmp_path / "all.pdf"
    with serving(vault):
        asked = Request("scan keep", {"audit": pack(left)})
        told = ask(open_folder(vault.root).local_socket, asked)
        assert len(told["new"]) == len({each.key for each in report.findings})
        vault.run("scan", "history", "--report", page, "--report", paper)
    said = page.read_text(encoding="utf-8")
    assert "Cabinet fictif" in said
    assert all(f"10.0.{n // 250}.{n % 250}" in said for n in range(3000))
    assert paper.read_bytes().startswith(b"%PDF")
