"""Very many short associations, and how much the server's memory grows over them.

`python -m tests.e2e.hostile.many` (`make callers`) makes 100,000 with the real server of a new vault:
half of them one after the other, half side by side, so that helpers serve some. It prints the memory
of all its processes as it goes, and fails where it grew; the tests make some thousands.
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

HELPERS = 1  # of the receiver, whatever the number of cores
STEPS = 10
AT_ONCE = 4  # of those side by side
WARM = 2000
MOST = 4 << 20  # bytes that all processes together may grow by: 42 for each of 100,000


@contextlib.contextmanager
def begun(port: int, calling: bytes) -> Iterator[None]:
    """One association: accepted, and released at the end, or refused."""
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        peer = Peer(connection)
        peer.send(request(calling=calling))
        answer = peer.unit()
        assert answer is not None
        yield
        if answer[0] == 2:
            peer.send(unit(5, bytes(4)))
            assert peer.unit() == (6, bytes(4))


@contextlib.contextmanager
def side_by_side(port: int, calling: bytes, count: int) -> Iterator[None]:
    """So many that are all open during the block: the receiver hands some over to its helpers."""
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(begun(port, calling))
        yield


def short(port: int, calling: bytes, count: int = 1, at_once: int = 1) -> None:
    """So many associations that bring nothing."""
    for _ in range(0, count, at_once):
        with side_by_side(port, calling, at_once):
            pass


def growth(
    processes: list[psutil.Process],
    port: int,
    calling: bytes,
    warm: int,
    count: int,
    at_once: int = 1,
) -> int:
    """Bytes that these grew by over `count` associations, after `warm` of them."""
    short(port, calling, warm, at_once)
    before = memory(processes)
    short(port, calling, count, at_once)
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
        with serving(vault, helpers=HELPERS) as server:
            receivers = children(server.process.pid, "_receiver")
            grew = watch(receivers, int(server.dicom_port), asked.count)
    if grew > MOST:
        sys.exit(f"{grew / 1e6:.1f} MB more, of at most {MOST / 1e6:.1f}")


def watch(receivers: list[psutil.Process], port: int, count: int) -> int:
    """Print how it goes; bytes that all of them grew by, the first `WARM` aside."""
    short_of_each_kind(port, WARM)
    before = memory(receivers)
    for step in range(STEPS + 1):
        print(
            f"{step * count // STEPS:7} associations: {memory(receivers) / 1e6:.1f} MB in "
            f"{len(receivers)} processes",
            flush=True,
        )
        if step < STEPS:
            short_of_each_kind(port, count // STEPS)
    return memory(receivers) - before


def short_of_each_kind(port: int, count: int) -> None:
    """A device's and a stranger's, one after the other and side by side."""
    for calling in (b"CT1", b"STRANGER"):
        for at_once in (1, AT_ONCE):
            short(port, calling, count // 4, at_once)


if __name__ == "__main__":
    main()
