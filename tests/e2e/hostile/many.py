"""Very many short associations, and how much the server's memory grows over them.

`python -m tests.e2e.hostile.many` makes 100,000 with the real server of a new vault and prints the
memory as it goes; the tests make some thousands.
"""

from __future__ import annotations

import argparse
import contextlib
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
from tests.e2e.receiving.conftest import Peer, request, unit
from tests.e2e.serving import new_vault, serving

STEPS = 10


def short(port: int, calling: bytes) -> None:
    """One association: accepted and released at once, or refused."""
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        peer = Peer(connection)
        peer.send(request(calling=calling))
        answer = peer.unit()
        assert answer is not None
        if answer[0] == 2:
            peer.send(unit(5, bytes(4)))
            assert peer.unit() == (6, bytes(4))


def growth(
    processes: list[psutil.Process], port: int, calling: bytes, warm: int, count: int
) -> int:
    """Bytes that these grew by over `count` associations, after `warm` of them."""
    for _ in range(warm):
        short(port, calling)
    before = memory(processes)
    for _ in range(count):
        short(port, calling)
    return memory(processes) - before


def memory(processes: list[psutil.Process]) -> int:
    """Resident bytes, of all of them together."""
    return sum(process.memory_info().rss for process in processes)


def children(pid: int, word: str) -> list[psutil.Process]:
    """The processes of a server that have this word in their command line."""
    return [p for p in psutil.Process(pid).children(recursive=True) if word in p.cmdline()]


SMALL = """
import sys, time
from serment.adapters.memory.receiver import MemoryReceiver
from serment.adapters.system import SystemClock
from serment.entrypoints.dimse import association
from serment.entrypoints.dimse.server import DicomServer
kept, run = [], association.Association.run
def leaking(self):
    kept.append(b"x" * int(sys.argv[1]))
    run(self)
association.Association.run = leaking
server = DicomServer(MemoryReceiver(), SystemClock())
print(server.start("127.0.0.1", 0)[1], flush=True)
sys.stdin.read()
server.stop()
"""


@contextlib.contextmanager
def small_server(leak: int) -> Iterator[tuple[psutil.Process, int]]:
    """A DICOM server that keeps `leak` bytes of each association: the process and its port."""
    command = [sys.executable, "-c", SMALL, str(leak)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield psutil.Process(process.pid), int(process.stdout.readline())
        finally:
            process.stdin.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        vault = new_vault(Path(folder), people=False)
        vault.json("device", "add", "Scanner", "--ae", "CT1", "--address", "127.0.0.1")
        with serving(vault) as server:
            receivers = children(server.process.pid, "_receiver")
            watch(receivers, int(server.dicom_port), asked.count)


def watch(receivers: list[psutil.Process], port: int, count: int) -> None:
    for step in range(STEPS + 1):
        print(
            f"{step * count // STEPS:7} associations: {memory(receivers) / 1e6:.1f} MB",
            flush=True,
        )
        for number in range(count // STEPS if step < STEPS else 0):
            short(port, b"CT1" if number % 2 else b"STRANGER")


if __name__ == "__main__":
    main()
