"""What the process that talks can still do when a peer has taken it over: call, hear datagrams, and tell its parent.

That it does its work so is what every other audit of the tests shows.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tests.components import lacking
from tests.e2e.attempting import CONNECTING, EVERYTHING, attempts
from tests.e2e.network.certificates import certificate
from tests.e2e.network.running import HOST

from serment.adapters.confinement import environment
from serment.adapters.network.child import MEMORY_BYTES, cpu_seconds
from serment.adapters.network.lines import encode
from serment.adapters.network.local import CHILD, LocalNetwork
from serment.adapters.network.telling import Near
from serment.ports.network import Order

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="elsewhere limits alone remain, or nothing"
)


def test_without_confinement_every_attempt_succeeds(tmp_path: Path) -> None:
    assert attempts(tmp_path, work="TALKING")[0] >= EVERYTHING


def test_a_talker_taken_over_can_call_and_nothing_else(tmp_path: Path) -> None:
    possible, held = attempts(tmp_path, "limits", "calls", work="TALKING")
    assert possible == CONNECTING
    assert {"memory", "processor", "no core dump", "no file size", "system calls"} <= set(held)


def test_the_limits_alone_leave_it_no_memory_and_no_file_of_any_size(tmp_path: Path) -> None:
    """What holds on systems without a system call filter; a file that is there can be read."""
    possible, _ = attempts(tmp_path, "limits", work="TALKING")
    assert possible.isdisjoint({"memory", "more of an open file"})
    assert "the vault's files" in possible


def test_the_filter_alone_leaves_it_memory(tmp_path: Path) -> None:
    assert attempts(tmp_path, "calls", work="TALKING")[0] == CONNECTING | {"memory"}


READ = """
import base64, json, sys
from serment.adapters.confinement import TALKING, confine
from serment.adapters.network.dialer import Dialer
from serment.adapters.network.scope import Scope
from serment.adapters.network.warming import warm_up
from serment.core.crypto.ssh import CIPHERS, EXCHANGES, MACS, Begun, Exchange, Suite, string
from serment.core.crypto.strangers import read_certificate
held, dialer = [], Dialer(Scope(["fe80::1%lo"]))
if sys.argv[1] == "confined":
    warm_up()
    held = confine(1 << 30, 60, TALKING)
read = [read_certificate(base64.b64decode(each)) for each in sys.argv[2:]]
told = [[each.key_kind, each.self_signed, list(each.hosts)] for each in read]
for exchange in EXCHANGES:
    for cipher in CIPHERS:
        for mac in MACS:
            ours, theirs = (Exchange(Suite(exchange, cipher, mac)) for _ in range(2))
            ways = ours.finish(Begun(b"1", b"2", b"3", b"4"), b"key", theirs.public[4:])
            told.append(len(ways[0].seal(1, b"words")))
try:
    called = dialer.begin("fe80::1%lo", 9)[1]  # its interface has a name
except OSError as error:  # a machine without IPv6
    called = error.errno
print(json.dumps([told, called, held]))
"""


def test_strangers_are_read_the_same_when_no_file_can_be_opened(tmp_path: Path) -> None:
    """Certificates of all kinds, SSH's exchanges, the names of interfaces: nothing of it is loaded late."""
    kinds = {"rsa.example": 2048, "ec.example": 0}
    pems = [certificate(tmp_path, name, bits=bits)[0].read_text() for name, bits in kinds.items()]
    ders = ["".join(pem.splitlines()[1:-1]) for pem in pems]
    free, confined = (
        json.loads(subprocess.check_output([sys.executable, "-c", READ, how, *ders], text=True))
        for how in ("free", "confined")
    )
    assert confined[:2] == free[:2]
    assert [each[:2] for each in free[0][:2]] == [["RSA", True], ["EC", True]]
    assert "system calls" in confined[2]


LITTLE = """
import resource
from serment.adapters.network import child, probes, warming
probes.load(), warming.warm_up()
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
child.MEMORY_BYTES = used + (60 << 20)  # room for some six threads
child.main()
"""


def test_with_little_memory_it_has_fewer_threads_and_asks_all_the_same() -> None:
    hosts = tuple(f"127.66.3.{each}" for each in range(1, 41))
    with socket.create_server(("", 0), backlog=100) as server:
        order = Order(hosts, (server.getsockname()[1],))
        threading.Thread(target=_hang_up, args=(server,), daemon=True).start()
        with subprocess.Popen(
            [sys.executable, "-c", LITTLE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
        ) as child:
            assert child.stdin and child.stdout
            child.stdin.write(encode(order) + encode(Near(())))
            child.stdin.flush()  # and it stays open: its end would be the parent's
            told = [json.loads(line) for line in child.stdout]
        server.shutdown(socket.SHUT_RDWR)
    assert told[-1]["_kind"] == "Over"
    assert {each["host"] for each in told if each["_kind"] == "Asked"} == {*hosts}


def _hang_up(server: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            server.accept()[0].close()


@pytest.fixture
def talker() -> Iterator[psutil.Process]:
    """A real one, while it talks to somebody who says nothing."""
    with socket.create_server((HOST, 0)) as server:
        order = Order((HOST,), (server.getsockname()[1],))
        audit = threading.Thread(target=lambda: list(LocalNetwork().audit(order)))
        audit.start()
        peers = [server.accept()[0] for _ in range(2)]  # the port phase, and the first talk
        (found,) = [
            each for each in psutil.Process(os.getpid()).children() if CHILD in each.cmdline()
        ]
        yield found
        for each in peers:
            each.close()
        audit.join()


def test_a_real_talker_has_its_filter_its_limits_and_no_file(talker: psutil.Process) -> None:
    proc = Path(f"/proc/{talker.pid}")
    try:
        opened = [path.readlink() for path in (proc / "fd").iterdir()]
    except PermissionError:
        lacking("only root may look into a process that is not dumpable: run the tests as root")
    kinds = {str(each).partition("[")[0].partition(":")[0] for each in opened}
    assert kinds <= {"/dev/null", "pipe", "socket", "anon_inode"}
    status = (proc / "status").read_text()
    assert "NoNewPrivs:\t1" in status
    assert "Seccomp:\t2" in status
    assert b"PYTHON_JIT=0" in (proc / "environ").read_bytes().split(b"\0")
    wanted = {resource.RLIMIT_AS: MEMORY_BYTES, resource.RLIMIT_FSIZE: 0, resource.RLIMIT_CORE: 0}
    for kind, value in wanted.items():
        assert resource.prlimit(talker.pid, kind) == (value, value)
    seconds = cpu_seconds(Order((HOST,), (1,)))
    assert resource.prlimit(talker.pid, resource.RLIMIT_CPU) == (seconds, seconds)


def test_a_larger_order_has_more_processor_time() -> None:
    practice = Order(tuple(f"192.0.2.{each}" for each in range(1, 255)), tuple(range(1, 131)))
    alone = cpu_seconds(Order((HOST,), tuple(range(1, 65536))))
    assert alone < cpu_seconds(practice) < 3600
    recheck = Order(practice.addresses, practice.ports, only=frozenset({(HOST, 80)}))
    assert cpu_seconds(recheck) < alone
