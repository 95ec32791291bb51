"""Attacks on the DICOM port of a running server: its memory stays flat, an honest device is served."""

from __future__ import annotations

import resource
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from tests.e2e.hostile.bombs import UIDS, deflated, described, nested
from tests.e2e.hostile.conftest import MIB, House, files, growing_less
from tests.e2e.hostile.many import AT_ONCE, HELPERS, growth, side_by_side, small_server
from tests.e2e.receiving.conftest import Peer, data_set, request

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="strangers call from further addresses of the loopback network"
)
STRANGERS = [f"127.0.1.{number}" for number in range(1, 9)]
TEMPORARY = 8 * MIB
SILENT = 2000


GROW = "import sys; input(); kept = b'x' * (1 << 26); print(flush=True); input()"


def test_memory_that_grows_would_be_seen() -> None:
    """The measure of these tests, on a process that takes 64 MiB when told to."""
    with subprocess.Popen(
        [sys.executable, "-c", GROW], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        with (
            pytest.raises(AssertionError, match="MiB"),
            growing_less([psutil.Process(process.pid)], 48 * MIB),
        ):
            process.stdin.write(b"\n")
            process.stdin.flush()
            process.stdout.readline()
        process.stdin.write(b"\n")


@pytest.mark.parametrize("announced", [0xFFFFFFFF, 300 * MIB])
def test_300_mib_before_association_leave_the_memory_flat(house: House, announced: int) -> None:
    with growing_less(house.receivers, TEMPORARY):
        peer = house.call(STRANGERS[0])
        with pytest.raises(ConnectionError):
            peer.send(struct.pack(">BxI", 1, announced))
            for _ in range(300):
                peer.send(bytes(MIB))
        peer.socket.close()
    house.still_serves()


def test_a_deflate_bomb_is_refused_in_little_memory(house: House) -> None:
    bomb = deflated()
    assert len(bomb) < 600_000
    with growing_less(house.receivers, 48 * MIB), house.associated() as peer:
        assert peer.store(bomb, number=5) == 0xC000
        assert peer.store(data_set()) == 0


def test_endless_depth_is_refused(house: House) -> None:
    with growing_less(house.receivers, 32 * MIB), house.associated() as peer:
        assert peer.store(nested()) == 0xC000
        assert peer.store(data_set()) == 0


@pytest.mark.parametrize("uid", UIDS, ids=range(len(UIDS)))
def test_no_uid_becomes_a_path(house: House, uid: str) -> None:
    known = files(house)
    with house.associated() as peer:
        assert peer.store(described("2.25.1"), instance=uid) == 0x0117
        for where in ("instance", "study", "series"):
            uids = {"instance": "2.25.1", where: uid}
            assert peer.store(described(**uids)) in (0xA900, 0xC000)
        assert peer.store(data_set()) == 0
    assert files(house) - known == set()
    assert not Path("/tmp/escaped").exists()


@pytest.mark.parametrize(
    "title",
    [
        b"\xc9QUIPE",
        b"../../etc/passwd",
        b"CT1\\SERMENT",
        b"\x1b[2J\x1b[31mCT1",
        bytes(16),
        b" " * 16,
        b"CT1\0\0/../..",
        b"*",
        b"\xff" * 16,
    ],
)
def test_no_ae_title_is_more_than_a_name(house: House, title: bytes) -> None:
    for titles in ({"calling": title}, {"called": title}):
        peer = house.call()
        peer.send(request(**titles))
        assert peer.rejected()[0] == 1
    house.still_serves()


def test_what_strangers_said_is_plain_in_the_journal(house: House) -> None:
    peer = house.call(STRANGERS[1])
    peer.send(request(calling=b"\x1b[2Jx\r\nadmin"))
    peer.rejected()
    shown = house.clinic.vault.run("journal", "list")
    assert "\x1b" not in shown.out
    assert "\r" not in shown.out


@contextmanager
def held(house: House, count: int) -> Iterator[list[Peer]]:
    """So many connections from strangers that say nothing."""
    peers = []
    for number in range(count):
        with suppress(OSError):
            peers.append(house.call(STRANGERS[number % len(STRANGERS)]))
    yield peers
    for peer in peers:
        peer.socket.close()


def test_thousands_of_silent_connections_do_not_keep_a_device_out(house: House) -> None:
    """As many as this process may hold, at most 2,000 (10,000 take 40 s more)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(SILENT, hard - 200)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count + 200), hard))
    try:
        with growing_less(house.receivers, 32 * MIB), held(house, count) as peers:
            assert len(peers) > count // 2
            house.still_serves()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    house.still_serves()


def drip(peer: Peer, data: bytes) -> bool:
    """One byte more; whether the server has closed."""
    peer.socket.setblocking(False)
    try:
        peer.socket.send(data)
        return peer.socket.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def test_slow_senders_are_cut_while_a_device_is_served(house: House) -> None:
    """A silent one, one that stops in the middle of its request, one that sends a byte at a time."""
    silent, half, slow = (house.call(STRANGERS[n]) for n in range(3))
    whole = request()
    half.send(whole[: len(whole) // 2])
    left = {"silent": (silent, b""), "half": (half, b""), "slow": (slow, None)}
    sent = 0
    while left:
        house.still_serves()
        for name, (peer, what) in list(left.items()):
            if drip(peer, whole[sent : sent + 1] if what is None else what) and closed(peer):
                del left[name]
        sent += 1
        assert sent < len(whole)
        time.sleep(0.25)


def closed(peer: Peer) -> bool:
    with suppress(BlockingIOError, ConnectionError):
        while peer.socket.recv(100):
            pass
    peer.socket.close()
    return True


@pytest.mark.parametrize("calling", [b"CT1", b"STRANGER"])
def test_short_associations_leave_the_memory_flat(house: House, calling: bytes) -> None:
    """2,000 after 500 that warm up; `make callers` makes 100,000."""
    port = int(house.clinic.server.dicom_port)
    assert growth(house.receivers, port, calling, 500, 2000) < MIB


def test_associations_side_by_side_leave_the_memory_of_all_flat(house: House) -> None:
    """Each process has some of them."""
    port = int(house.clinic.server.dicom_port)
    with side_by_side(port, b"CT1", AT_ONCE):
        assert len(house.receivers) == 1 + HELPERS
        assert all(serves(process) for process in house.receivers)
    assert growth(house.receivers, port, b"CT1", 1000, 2000, AT_ONCE) < MIB


def serves(process: psutil.Process) -> int:
    """How many callers."""
    return sum(c.status == "ESTABLISHED" for c in process.net_connections("tcp"))


@pytest.mark.parametrize("at_once", [1, AT_ONCE])
def test_a_leak_would_be_seen(at_once: int) -> None:
    with small_server(leak=1024) as (server, port):
        assert growth([server], port, b"CT1", 500, 2000, at_once) >= MIB
    with small_server(leak=0) as (server, port):
        assert growth([server], port, b"CT1", 500, 2000, at_once) < MIB
