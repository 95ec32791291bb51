"""Tests stay on this machine, and never pass in CI by not running."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent.parent
ELSEWHERE = "192.0.2.1"  # reserved for documentation (RFC 5737)


def test_no_test_reaches_another_machine() -> None:
    with socket.socket() as stream, pytest.raises(PermissionError):
        stream.connect((ELSEWHERE, 80))
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram,
        pytest.raises(PermissionError),
    ):
        datagram.sendto(b"x", (ELSEWHERE, 53))
    with pytest.raises(PermissionError):
        socket.getaddrinfo("example.org", 443)


def test_this_machine_stays_reachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, port = server.getsockname()
        with socket.create_connection((host, port)):
            accepted, _ = server.accept()
            accepted.close()
    assert socket.getaddrinfo("localhost", port)


@pytest.mark.parametrize(("ci", "outcome"), [("true", "1 error"), ("", "1 skipped")])
def test_a_missing_component_is_told_and_fails_in_ci(tmp_path: Path, ci: str, outcome: str) -> None:
    (tmp_path / "tests").mkdir()
    for name in ("conftest.py", "components.py"):
        shutil.copy(TESTS / name, tmp_path / "tests")
    (tmp_path / "tests" / "test_one.py").write_text(
        "import pytest\n\n@pytest.mark.real('dcmtk')\ndef test_one():\n    pass\n"
    )
    environ = {**os.environ, "CI": ci, "PATH": str(tmp_path)}
    environ.pop("PYTEST_XDIST_WORKER", None)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-rs",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        tmp_path,
    ]
    command += ["-o", "markers=real: needs a component", tmp_path]
    done = subprocess.run(
        command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
    )
    assert outcome in done.stdout
    assert "dcmtk is not installed here (no storescu" in done.stdout
