"""An audit is made as well where the machine has more, less or something else than those it was written on."""

from __future__ import annotations

import resource
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.components import lacking
from tests.e2e.network.running import HOST

import serment.adapters.network.local as local
from serment.core.exposure.seen import Answered, Service
from serment.ports.network import Order

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="elsewhere limits alone remain, or nothing"
)
ROOT = Path(__file__).parents[3]


@pytest.fixture
def port() -> Iterator[int]:
    """Where a web page is."""
    with socket.create_server((HOST, 0), backlog=20) as server:
        threading.Thread(target=answer, args=(server,), daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def answer(server: socket.socket) -> None:
    while True:
        try:
            peer, _ = server.accept()
        except OSError:
            return
        with peer:
            peer.settimeout(1)
            try:
                peer.recv(1000)
                peer.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi")
            except OSError:
                continue


def audited(port: int) -> list[str]:
    """Which protocols an audit of the page finds; nothing may be missing from it."""
    told = list(local.LocalNetwork().audit(Order((HOST,), (port,))))
    assert {type(each) for each in told} <= {Service, Answered}
    return [each.protocol for each in told if isinstance(each, Service)]


def begun_with(monkeypatch: pytest.MonkeyPatch, folder: Path, first: str) -> None:
    """Have what talks run these lines before its own, as `sitecustomize` (Python's module site)."""
    (folder / "sitecustomize.py").write_text(first)
    usual = local.environment()
    path = f"{folder}:{usual['PYTHONPATH']}"
    monkeypatch.setattr(local, "environment", lambda: usual | {"PYTHONPATH": path})


@pytest.mark.parametrize("mebibytes", [256, 1024])
def test_a_user_with_a_large_stack(port: int, mebibytes: int) -> None:
    """As `ulimit -s`: threads have it too, unless told otherwise, and few fit in the child's addresses."""
    script = (
        "import sys; from tests.e2e.network.test_other_machines import audited\n"
        "print(audited(int(sys.argv[1])))"
    )
    bytes_ = mebibytes << 20
    if 0 <= resource.getrlimit(resource.RLIMIT_STACK)[1] < bytes_:
        lacking("this account may not have so large a stack")
    raised = ["/bin/sh", "-c", f'ulimit -s {bytes_ >> 10}; exec "$@"', "sh"]
    done = subprocess.run(
        [*raised, sys.executable, "-c", script, str(port)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.stdout == "['http']\n", done.stderr[-300:]


FIPS = """
import hashlib
real = hashlib.new
def new(name, *words, **more):
    if name == "md5":
        raise ValueError("[digital envelope routines] unsupported")
    return real(name, *words, **more)
hashlib.new = new
"""


def test_a_system_that_refuses_old_hashes(
    port: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As with FIPS 140-3, where OpenSSL has no MD5."""
    begun_with(monkeypatch, tmp_path, FIPS)
    assert audited(port) == ["http"]


OF_32_BITS = """
import struct
from serment.adapters import confinement, system_calls
sizes = struct.calcsize
struct.calcsize = lambda form: 4 if form == "P" else sizes(form)
system_calls._MACHINES = {name: (0, 0x40000028) for name in system_calls._MACHINES}
print("system calls" in confinement.confine(1 << 30, 60), flush=True)
"""


def test_a_program_of_32_bits_has_no_filter_of_64() -> None:
    """The kernel names it by another word than its machine's, so that all its calls would fail."""
    done = subprocess.run(
        [sys.executable, "-c", OF_32_BITS], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "False\n"), done.stderr[-300:]
