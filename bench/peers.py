"""Starts real components on loopback, each with its own ports and folder, and stops them by pid.

Used by the bench and by the tests that talk to real archives.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

HOST = "127.0.0.1"
CALLING = "BENCH"
NODELAY = {"TCP_NODELAY": "1"}  # a switch of dcmtk, clients and servers alike
DICOMWEB_PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
_OWN = Path(sys.prefix) / "bin"  # pynetdicom's commands have the names of dcmtk's
_READY_SECONDS = 60


class Missing(Exception):
    """A component that is not installed here."""


def find(command: str) -> str:
    """The path of a stock command, never the one of the virtual environment."""
    folders = [each for each in os.environ.get("PATH", "").split(os.pathsep) if Path(each) != _OWN]
    found = shutil.which(command, path=os.pathsep.join([*folders, "/usr/sbin"]))
    if found is None:
        raise Missing(f"{command} is not installed: make components")
    return found


def free_port() -> int:
    """A port of loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Peer:
    """A running archive: where it listens, and what it costs."""

    name: str
    process: subprocess.Popen[bytes]
    called: str
    dicom_port: int
    web: str = ""  # base of DICOMweb
    ca: str = ""  # file of the authority that its certificate comes from; empty without TLS
    headers: Mapping[str, str] = field(default_factory=dict)  # of reads
    sending_headers: Mapping[str, str] = field(default_factory=dict)  # of STOW-RS
    receives: str = ""  # a word of the command line of what receives; empty: what works most

    def processes(self) -> list[psutil.Process]:
        """Its process and all below it."""
        with suppress(psutil.NoSuchProcess):
            main = psutil.Process(self.process.pid)
            return [main, *main.children(recursive=True)]
        return []

    def cpu_seconds(self) -> float:
        """Processor time of all its processes, ended children included."""
        total = 0.0
        for each in self.processes():
            with suppress(psutil.Error):
                times = each.cpu_times()
                total += times.user + times.system
                total += times.children_user + times.children_system
        return total

    def peak_bytes(self) -> int:
        """Peak resident memory of the program that receives: of all its processes that live, one
        peak added to the other."""
        used: Counter[tuple[str, ...]] = Counter()
        peaks: Counter[tuple[str, ...]] = Counter()
        for each in self.processes():
            with suppress(psutil.Error, OSError, StopIteration):
                command, times = tuple(each.cmdline()), each.cpu_times()
                status = Path(f"/proc/{each.pid}/status").read_text().splitlines()
                line = next(line for line in status if line.startswith("VmHWM"))
                used[command] += times.user + times.system
                peaks[command] += int(line.split()[1]) * 1024
        receiving = [each for each in used if self.receives in ("", *each)]
        return peaks[max(receiving, key=lambda each: used[each])] if receiving else 0

    def stop(self) -> None:
        """End it and everything below it, by pid."""
        family = self.processes()
        with suppress(ProcessLookupError):
            self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for each in family[1:]:
            with suppress(psutil.NoSuchProcess):
                each.kill()


def _spawn(
    command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start in `folder`, with its output in a file: a full pipe would stop it."""
    with (folder / "output.log").open("ab") as log:
        return subprocess.Popen(
            [str(each) for each in command],
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def _wait(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    """Return once somebody listens on that port. Raises RuntimeError with the log's end."""
    for _ in range(_READY_SECONDS * 20):
        if process.poll() is not None:
            break
        with suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            return
        time.sleep(0.05)
    process.kill()
    process.wait()
    raise RuntimeError((folder / "output.log").read_text(errors="replace")[-2000:])


@contextmanager
def _running(peer: Peer) -> Iterator[Peer]:
    try:
        yield peer
    finally:
        peer.stop()


@contextmanager
def orthanc(folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[Peer]:
    """Orthanc with DICOMweb as it is delivered: plain, index and files synced to disk.

    Over HTTP only: Debian 12's 1.10.1 ends with a segmentation fault on its first HTTPS request.
    """
    program = find("Orthanc")
    if not DICOMWEB_PLUGIN.exists():
        raise Missing("orthanc-dicomweb is not installed: make components")
    folder.mkdir(parents=True, exist_ok=True)
    dicom, web = free_port(), free_port()
    settings = {
        "Name": "bench",
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "DicomAet": "ORTHANC",
        "DicomPort": dicom,
        "HttpPort": web,
        "RemoteAccessAllowed": False,  # REST answers loopback only
        "AuthenticationEnabled": False,
        "DicomAlwaysAllowStore": True,
        "Plugins": [str(DICOMWEB_PLUGIN)],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }
    (folder / "orthanc.json").write_text(json.dumps(settings))
    process = _spawn([program, folder / "orthanc.json"], folder, environment)
    _wait(process, web, folder)
    _wait(process, dicom, folder)
    peer = Peer("Orthanc", process, "ORTHANC", dicom, f"http://{HOST}:{web}/dicom-web")
    with _running(peer):
        yield peer


@contextmanager
def storescp(folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[Peer]:
    """dcmtk's receiver at its fastest: a process an association, bytes kept as they come, large
    PDUs. It neither indexes nor syncs."""
    received = folder / "received"
    received.mkdir(parents=True, exist_ok=True)
    port = free_port()
    options = ["--fork", "+B", "-pdu", "131072", "-aet", "STORESCP", "-od", str(received)]
    process = _spawn([find("storescp"), *options, str(port)], folder, environment)
    _wait(process, port, folder)
    with _running(Peer("storescp", process, "STORESCP", port)) as peer:
        yield peer


@contextmanager
def pynetdicom_storescp(
    folder: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Peer]:
    """pynetdicom's storescp application, as it is delivered."""
    received = folder / "received"
    received.mkdir(parents=True, exist_ok=True)
    port = free_port()
    options = ["-q", "-ba", HOST, "-aet", "PYNETDICOM", "-od", str(received)]
    command = [sys.executable, "-m", "pynetdicom", "storescp", *options, str(port)]
    process = _spawn(command, folder, environment)
    _wait(process, port, folder)
    with _running(Peer("pynetdicom", process, "PYNETDICOM", port)) as peer:
        yield peer
