"""How long a receiver that was killed in the middle of an ingest takes to be back.

python -m bench.restart [--rounds N] [--megabytes N] [--json FILE]

From the start of the process to the first answered association, with as much in its last pack as the
option says (256 MB is the most): that is what it reads again. The goal is 2 s.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import vault
from bench.peers import CALLING, HOST
from serment.core.dicom.fictional import FictionalPatient, FictionalStudy, Place, ct_slice
from serment.entrypoints.intake.client import IntakeClient
from serment.errors import SermentError
from serment.ports import Source

GOAL_SECONDS = 2.0
SENDERS = 4


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.restart")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--megabytes", type=int, default=240)
    parser.add_argument("--json", help="write the figures there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="restart-") as name:
        root = vault.found(Path(name) / "practice") / "vault"
        seconds = [_round(root, options.megabytes) for _ in range(options.rounds)]
    report = {
        "case": "restart of a killed receiver",
        "unit": "s",
        "runs": [round(each, 2) for each in seconds],
        "serment": round(statistics.median(seconds), 2),
        "longest": round(max(seconds), 2),
        "goal": GOAL_SECONDS,
        "megabytes": options.megabytes,
    }
    print(json.dumps(report))
    if options.json:
        Path(options.json).write_text(json.dumps(report, indent=1) + "\n")
    return 0


def _round(root: Path, megabytes: int) -> float:
    """Send that much, kill the receiver while more is on its way, start another."""
    process, _ = _start(root)
    _send(root, process, megabytes * 1_000_000)
    begin = time.monotonic()
    process, port = _start(root)
    _associate(port)
    seconds = time.monotonic() - begin
    _stop(process)
    return seconds


def _start(root: Path) -> tuple[subprocess.Popen[bytes], int]:
    command = [sys.executable, "-m", "serment", "_receiver", str(root), f"{HOST}:0"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    said: dict[str, Any] = json.loads(process.stdout.readline())
    return process, int(said["dicom"][1])


def _send(root: Path, process: subprocess.Popen[bytes], enough: int) -> None:
    sent, count = [0], threading.Lock()

    def send(number: int) -> None:
        for data in _slices(number):
            with contextlib.suppress(SermentError, OSError):
                source = Source("import", None, None, f"{HOST}:1", f"{HOST}:2")
                list(IntakeClient(root / "run" / "intake.sock").instances(source, [[data]]))
            with count:
                sent[0] += len(data)
                if sent[0] >= enough and process.poll() is None:
                    os.kill(process.pid, signal.SIGKILL)
                    process.wait()
                    assert process.stdout is not None
                    process.stdout.read()  # ends with the last of its helpers
                if process.poll() is not None:
                    return

    threads = [threading.Thread(target=send, args=(number,)) for number in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _slices(number: int) -> Iterator[bytes]:
    who = FictionalPatient("FICTIF^Personne", "19600101", "F", f"FICTIF{number}", "", "", "")
    study = FictionalStudy(who, "20260104", "101500", f"ACC{number}", "Scanner fictif", "DUPONT^J")
    data = ct_slice(study, Place(1, 1, "Coupes"), 4)
    while True:
        yield data


def _associate(port: int) -> None:
    """Open an association for C-ECHO and wait for the answer (PS3.8 9.3.2)."""

    def item(kind: int, value: bytes) -> bytes:
        return struct.pack(">BxH", kind, len(value)) + value

    context = item(0x30, b"1.2.840.10008.1.1") + item(0x40, b"1.2.840.10008.1.2")
    items = item(0x10, b"1.2.840.10008.3.1.1.1") + item(0x20, bytes([1, 0, 0, 0]) + context)
    items += item(0x50, item(0x51, struct.pack(">I", 16384)))
    titles = vault.CALLED.encode().ljust(16) + CALLING.encode().ljust(16)
    body = struct.pack(">H2x", 1) + titles + bytes(32) + items
    with socket.create_connection((HOST, port), 30) as connection:
        connection.sendall(struct.pack(">BxI", 1, len(body)) + body)
        if connection.recv(1) != b"\x02":
            raise RuntimeError("the receiver refused the association")


def _stop(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    process.wait(60)


if __name__ == "__main__":
    sys.exit(main())
