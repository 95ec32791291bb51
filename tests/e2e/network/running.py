"""Runs services for the audit on loopback, each a process of its own, and audits them."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

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
def archive(**settings: object) -> Iterator[int]:
    """A fictional archive (`archive.py`); its port."""
    port = free_port()
    given = json.dumps({"port": port, **settings})
    with running(port, *script("archive.py"), given):
        yield port


@contextmanager
def hostile(kind: str, host: str) -> Iterator[int]:
    """A server that means no good (`hostile.py`); its port."""
    port = free_port()
    with running(port, *script("hostile.py"), kind, host, port, host=host):
        yield port


def script(name: str) -> tuple[str, ...]:
    return sys.executable, "-W", "ignore", str(HERE / name)


def audited(*ports: int, **order: object) -> dict[int, Service]:
    """What an audit sees of these ports of loopback."""
    wanted = Order((HOST,), tuple(ports), **order)  # type: ignore[arg-type]
    return {each.place.port: each for each in LocalNetwork().audit(wanted)}
