"""The audit of a network beside nmap: how long, how many ports and associations a second, how much
memory. What it audits is `hosts`; what it finds is the tests' business."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from bench.figures import SERMENT, Case, Figures, Goal
from bench.hosts import NETWORK
from bench.peers import HOST, Missing, find, free_port

WHOLE = Case("scan of 254 x 30 with all probes", "s", more_is_better=False)
PORTS = Case("scan, port phase of 254 x 30", "ports/s")
ONE_HOST = Case("scan of one host x 65,535 ports", "s", more_is_better=False)
ASSOCIATIONS = Case("scan, DICOM associations one after the other", "/s")
MEMORY = Case("peak memory, scan of 254 x 30", "MB", more_is_better=False)
GOALS = (
    Goal(WHOLE.name, "", 10),
    Goal(PORTS.name, "", 20_000),
    Goal(ONE_HOST.name, "", 10),
    Goal(ASSOCIATIONS.name, "", 60),
    Goal(MEMORY.name, "", 150),
)
NMAP, PYNETDICOM = "nmap", "pynetdicom"
COMMON = (
    *(21, 22, 23, 80, 104, 111, 139, 443, 445, 873, 2575, 2762, 3306, 3389, 4242),
    *(5000, 5432, 5900, 6379, 8000, 8042, 8080, 8443, 8888, 9000, 9200, 11112, 11211, 27017, 49000),
)
CUT = 60.0  # seconds after which nmap is ended
TIMES = 30  # associations
RANGE = f"{NETWORK}.0/24"
CLOSED = "127.89.0"  # where nobody listens
SWEEP = """
import sys, time
from serment.adapters.network.dialer import Dialer
from serment.adapters.network.scope import Scope
from serment.adapters.network.sweep import find_open
addresses = [f"{sys.argv[1]}.{number}" for number in range(1, 255)]
ports = tuple(map(int, sys.argv[2].split(",")))
began = time.monotonic()
find_open(Dialer(Scope(addresses)), addresses, ports, frozenset, lambda _: False, lambda *_: None)
print(len(addresses) * len(ports) / (time.monotonic() - began))
"""
ASK = """
import sys, time
from serment.adapters.network.association import Association, open_association
from serment.adapters.network.dialer import Dialer
from serment.adapters.network.line import Budget
from serment.adapters.network.scope import Scope
dialer, port, times = Dialer(Scope([sys.argv[1]])), int(sys.argv[2]), int(sys.argv[3])
began = time.monotonic()
for _ in range(times):
    with open_association(dialer.line(sys.argv[1], port, Budget(15, 5)), "ANYBODY"):
        pass
print(times / (time.monotonic() - began))
"""
ASK_PYNETDICOM = """
import sys, time
from pynetdicom import AE
from pynetdicom.presentation import build_context
entity = AE()
entity.requested_contexts = [build_context("1.2.840.10008.1.1")]
began = time.monotonic()
for _ in range(int(sys.argv[3])):
    entity.associate(sys.argv[1], int(sys.argv[2])).abort()
print(int(sys.argv[3]) / (time.monotonic() - began))
"""


def scan(figures: Figures, folder: Path, rounds: int) -> None:
    """Every case of the audit, Serment and its peer in turn."""
    with _practice():
        for turn in range(rounds):
            seconds, peak = _timed(*_serment(RANGE, ",".join(map(str, COMMON))))
            figures.add(WHOLE, SERMENT, seconds)
            figures.add(MEMORY, SERMENT, peak / 1e6)
            if turn == 0:
                _nmap_whole(figures)
    for _ in range(rounds):
        figures.add(PORTS, SERMENT, _said(SWEEP, CLOSED, ",".join(map(str, COMMON))))
        figures.add(ONE_HOST, SERMENT, _timed(*_serment(f"{CLOSED}.1", "all"))[0])
        _nmap_ports(figures)
    _associations(figures, folder, rounds)


@contextmanager
def _practice() -> Iterator[None]:
    command = [sys.executable, "-W", "ignore", "-m", "bench.hosts"]
    hosts = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert hosts.stdin and hosts.stdout
    try:
        hosts.stdout.readline()
        time.sleep(0.5)
        yield
    finally:
        hosts.kill()
        hosts.communicate()


def _serment(targets: str, ports: str) -> tuple[str, ...]:
    words = ("scan", "network", targets, "--ports", ports, "--json")
    return (sys.executable, "-m", "serment", *words)


def _nmap(*words: str) -> tuple[str, ...]:
    return (find("nmap"), "-n", "-Pn", "-T4", "-oG", "-", *words)


def _nmap_whole(figures: Figures) -> None:
    """nmap as one would use it for this: versions, and DICOM by its script."""
    with _absent(figures, WHOLE, NMAP):
        ports = ",".join(map(str, COMMON))
        command = _nmap("-sT", "-sV", "--script", "dicom-ping", "-p", ports, RANGE)
        seconds, peak = _timed(*command, cut=CUT)
        figures.add(WHOLE, NMAP, seconds)
        figures.add(MEMORY, NMAP, peak / 1e6)
        if seconds >= CUT:
            figures.absent[f"{WHOLE.name}, the rest of {NMAP}"] = f"ended unfinished at {CUT:.0f} s"


def _nmap_ports(figures: Figures) -> None:
    with _absent(figures, PORTS, NMAP):
        ports = ",".join(map(str, COMMON))
        seconds, _ = _timed(*_nmap("-sT", "-p", ports, f"{CLOSED}.1-254"))
        figures.add(PORTS, NMAP, 254 * len(COMMON) / seconds)
        figures.add(ONE_HOST, NMAP, _timed(*_nmap("-sT", "-p-", f"{CLOSED}.1"))[0])


def _associations(figures: Figures, folder: Path, rounds: int) -> None:
    """Against dcmtk's receiver, which forks for each association."""
    with _absent(figures, ASSOCIATIONS, SERMENT):
        port = free_port()
        command = [find("storescp"), "--fork", "-od", str(folder), str(port)]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as receiver:
            time.sleep(1.0)
            try:
                for _ in range(rounds):
                    for subject, code in ((SERMENT, ASK), (PYNETDICOM, ASK_PYNETDICOM)):
                        figures.add(ASSOCIATIONS, subject, _said(code, HOST, port, TIMES))
            finally:
                receiver.terminate()


@contextmanager
def _absent(figures: Figures, case: Case, subject: str) -> Iterator[None]:
    try:
        yield
    except Missing as missing:
        figures.absent[f"{case.name}, {subject}"] = str(missing)


def _said(code: str, *words: object) -> float:
    command = [sys.executable, "-W", "ignore", "-c", code, *map(str, words)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _timed(*command: str, cut: float | None = None) -> tuple[float, int]:
    """Seconds of a command, and the peak bytes of its processes, one added to the other."""
    began, peaks = time.monotonic(), dict[int, int]()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        while running.poll() is None:
            _look(running.pid, peaks)
            if cut and time.monotonic() - began >= cut:
                running.kill()
            time.sleep(0.05)
    return time.monotonic() - began, sum(peaks.values())


def _look(pid: int, peaks: dict[int, int]) -> None:
    with suppress(psutil.Error):
        main = psutil.Process(pid)
        family: Sequence[psutil.Process] = (main, *main.children(recursive=True))
        for each in family:
            with suppress(psutil.Error):
                peaks[each.pid] = max(peaks.get(each.pid, 0), each.memory_info().rss)
