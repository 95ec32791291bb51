"""An audit is made as well where the machine has more, less or something else than those it was written on."""

from __future__ import annotations

import platform
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
from serment.errors import Unavailable
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


WITHOUT_A_CALL = """
import dataclasses
from serment.adapters import confinement as at
calls = tuple(call for call in at.TALKING.calls if call.name != "{name}")
at.TALKING = dataclasses.replace(at.TALKING, calls=calls)
"""


@pytest.mark.parametrize("name", ["write", "clone", "mmap"])
def test_a_system_that_needs_another_call_than_the_filter_knows(
    port: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    """What talks ends before it begins, and is begun once more with limits alone; that is told."""
    begun_with(monkeypatch, tmp_path, WITHOUT_A_CALL.format(name=name))
    assert audited(port) == ["http"]
    assert local.lacking() == ["system calls"]


def test_one_that_was_killed_is_begun_again_as_shut_off_as_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What ended it once may be the system's want of memory, which is no reason to go without the filter."""
    start, begun = local._start, []

    def killed_at_first(more: tuple[str, ...]) -> subprocess.Popen[bytes]:
        process = start(more)
        if not begun:
            process.kill()
        begun.append(more)
        return process

    monkeypatch.setattr(local, "_start", killed_at_first)
    assert local.lacking() == []
    assert begun == [(), ()]


def test_what_this_system_does_not_deny_is_known(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It says what holds; one that does not begin is denied nothing, and makes no audit."""
    assert local.lacking() == []
    begun_with(monkeypatch, tmp_path, "raise SystemExit(1)")
    assert local.lacking() == list(local.WANTED)
    with pytest.raises(Unavailable, match="ended too early"):
        list(local.LocalNetwork().audit(Order((HOST,), (1,))))


NO_FILTER = """
import ctypes, struct
steps = [(0x20, 0, 0, 0), (0x15, 0, 3, {prctl}), (0x20, 0, 0, 16), (0x15, 0, 1, 22)]
steps += [(0x06, 0, 0, 0x50001), (0x06, 0, 0, 0x7FFF0000)]  # EPERM for prctl(PR_SET_SECCOMP)
code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *each) for each in steps))
prctl = ctypes.CDLL(None).prctl
prctl(38, 1, 0, 0, 0)
assert prctl(22, 2, struct.pack("@HP", len(steps), ctypes.addressof(code)), 0, 0) == 0
"""


def test_a_system_that_refuses_the_filter(
    port: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As containers may: the audit is made, and that nothing is filtered is told."""
    number = {"x86_64": 157, "aarch64": 167}.get(platform.machine())
    if number is None:
        lacking("no filter is known for this machine")
    begun_with(monkeypatch, tmp_path, NO_FILTER.format(prctl=number))
    assert audited(port) == ["http"]
    assert local.lacking() == ["system calls"]
