"""Runs services for the audit on loopback, each a process of its own, and audits them."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serment.adapters.network.lines import encode
from serment.adapters.network.local import LocalNetwork
from serment.core.exposure.seen import Service
from serment.ports.network import Order

HOST = "127.0.0.1"
HERE = Path(__file__).parent
_READY_SECONDS = 30.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(
    port: int, *command: object, folder: Path | None = None, host: str = HOST
) -> Iterator[int]:
    """Start it, wait until `port` listens, give its pid, end it."""
    process = subprocess.Popen(
        list(map(str, command)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
    )
    try:
        wait_for(port, process, host)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(port: int, process: subprocess.Popen[bytes], host: str = HOST) -> None:
    end = time.monotonic() + _READY_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with suppress(OSError), socket.create_connection((host, port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"nobody listens on {port}")


@contextmanager
def archives(*settings: dict[str, Any]) -> Iterator[list[int]]:
    """Fictional archives in one process (`archive.py`); their ports."""
    ports = [free_port() for _ in settings]
    given = [{"port": port, **each} for port, each in zip(ports, settings, strict=True)]
    with running(ports[-1], *script("archive.py"), json.dumps(given)):
        yield ports


@contextmanager
def hostile(hosts: dict[str, str]) -> Iterator[dict[str, int]]:
    """Servers that mean no good (`hostile.py`), by kind; the port of each."""
    ports = {kind: free_port() for kind in hosts}
    given = {kind: (host, ports[kind]) for kind, host in hosts.items()}
    last = list(hosts)[-1]
    with running(ports[last], *script("hostile.py"), json.dumps(given), host=hosts[last]):
        yield ports


def script(name: str) -> tuple[str, ...]:
    return sys.executable, "-W", "ignore", str(HERE / name)


def audited(*ports: int, **order: object) -> dict[int, Service]:
    """What an audit sees of these ports of loopback."""
    wanted = Order((HOST,), tuple(ports), **order)  # type: ignore[arg-type]
    heard = LocalNetwork().audit(wanted)
    return {each.place.port: each for each in heard if isinstance(each, Service)}


@dataclass(frozen=True)
class Observed:
    """An audit that has ended: what it saw, its child's peak memory, the parent still there."""

    services: list[dict[str, Any]]
    peak_kib: int
    pid: int


@contextmanager
def observed(order: Order, enter: tuple[str, ...] = ()) -> Iterator[Observed]:
    """An audit by a process of its own (`observed.py`), kept alive within the block; `enter`: words
    before its command, to run it elsewhere."""
    process = subprocess.Popen(
        [*enter, *script("observed.py"), encode(order).decode()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin and process.stdout
    try:
        said = json.loads(process.stdout.readline())
        yield Observed(said["services"], said["peak_kib"], process.pid)
    finally:
        process.stdin.close()
        process.stdout.close()
        process.kill()
        process.wait()
