"""Open, closed and silent ports, found without threads and without growing."""

from __future__ import annotations

import contextlib
import resource
import socket
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from serment.adapters.network import dialer as dialing
from serment.adapters.network import sweep as sweeping
from serment.adapters.network.dialer import Dialer
from serment.adapters.network.scope import Scope
from serment.adapters.network.sweep import Found, State, find_open, sweep
from serment.core.exposure.seen import Answered

HOST = "127.0.0.1"


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.create_server((HOST, 0), backlog=50) as server:
        yield server.getsockname()[1]


def nothing(*_: object) -> None:
    pass


def found(addresses: list[str], ports: list[int], **more: object) -> Found:
    known = more.get("known", frozenset())
    absent = more.get("absent", lambda _: False)
    dialer = Dialer(Scope(addresses))
    return find_open(dialer, addresses, ports, lambda: known, absent, nothing)  # type: ignore


def test_open_and_closed_ports_are_told_apart(listening: int) -> None:
    closed = 1 if listening != 1 else 2
    dialer = Dialer(Scope([HOST]))
    seen = dict(sweep(dialer, [(HOST, listening), (HOST, closed)], 1.0))
    assert seen == {(HOST, listening): State.OPEN, (HOST, closed): State.CLOSED}


@pytest.mark.skipif(not hasattr(socket, "TCP_QUICKACK"), reason="Linux alone can wait with it")
def test_a_program_is_never_told_that_its_port_was_tried() -> None:
    """It would keep a place for the caller, some of them half a minute, and small devices have two."""
    with socket.create_server((HOST, 0)) as server:
        server.settimeout(0.3)
        assert found([HOST], [server.getsockname()[1]]).open
        with pytest.raises(TimeoutError):
            server.accept()


def test_ports_are_found_where_the_system_cannot_take_connections_back(
    listening: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialing, "_QUICK", 9999)  # no option of any system
    assert found([HOST], [listening]).open == [(HOST, listening)]


def test_a_refusal_shows_that_somebody_is_there(listening: int) -> None:
    addresses = [f"127.3.0.{number}" for number in range(1, 255)] + [HOST]
    seen = found(addresses, [listening, 1, 2, 3, 4, 5])
    assert seen.open == [(HOST, listening)]
    assert seen.there == set(addresses)


def test_who_answered_is_told_with_what_it_refused(listening: int) -> None:
    seen = found([HOST], [7, listening, 3, 2, 1])
    assert list(seen.answered()) == [Answered(HOST, ((1, 7),))]  # of those asked
    assert list(found([HOST], [listening]).answered()) == [Answered(HOST)]


def test_it_says_how_far_it_is() -> None:
    told: list[tuple[str, int, int]] = []
    addresses = [f"127.3.1.{number}" for number in range(1, 101)]
    find_open(
        Dialer(Scope(addresses)),
        addresses,
        [443, *range(1000, 1030)],
        frozenset,
        lambda _: False,
        lambda *said: told.append(said),
    )
    assert told == [
        ("hosts", 100, 100),
        *(("ports", done, 3000) for done in (1000, 2000, 3000, 3000)),
    ]


def test_what_is_out_of_scope_is_silent() -> None:
    assert list(sweep(Dialer(Scope([HOST])), [("127.0.0.2", 80)], 1.0)) == [
        (("127.0.0.2", 80), State.SILENT)
    ]


class Deaf(Dialer):
    """Connections begin and never go anywhere: a firewall that drops. Counts them."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self.begun: list[tuple[str, int]] = []
        self._others: list[socket.socket] = []

    def begin(self, address: str, port: int) -> tuple[socket.socket, int]:
        self.begun.append((address, port))
        ours, theirs = socket.socketpair()
        self._others.append(theirs)
        ours.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while ours.send(bytes(65536)):  # full: it never becomes writable
                pass
        return ours, next(iter(sweeping.UNDER_WAY))


def test_a_silent_neighbour_is_tried_and_an_absent_one_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only the first ports are tried of an address of our own network that nobody answers for."""
    monkeypatch.setattr(sweeping, "HELLO_SECONDS", 0.01)
    monkeypatch.setattr(sweeping, "PORT_SECONDS", 0.01)
    dialer = Deaf(Scope(["10.9.0.1", "10.9.0.2"]))
    seen = find_open(
        dialer,
        ["10.9.0.1", "10.9.0.2"],
        [443, 5000, 6000],
        lambda: frozenset({"10.9.0.1"}),
        lambda _: True,
        nothing,
    )
    tried = {
        address: {port for at, port in dialer.begun if at == address} for address, _ in dialer.begun
    }
    assert seen.there == {"10.9.0.1"}
    assert tried == {"10.9.0.1": {443, 5000, 6000}, "10.9.0.2": {443}}


def test_memory_does_not_grow_with_the_ports() -> None:
    dialer = Dialer(Scope(["127.3.3.3"]))
    peak = []
    for count in (2_000, 20_000):
        tracemalloc.start()
        for _ in sweep(dialer, (("127.3.3.3", 1 + n % 65535) for n in range(count)), 1.0):
            pass
        peak.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peak[1] < peak[0] + 256 * 1024


@pytest.mark.skipif(sys.platform != "linux", reason="counts open files in /proc")
def test_few_free_files_are_enough() -> None:
    """Where the system gives no more files, it waits for those it has."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = len(list(Path("/proc/self/fd").iterdir()))
    dialer = Deaf(Scope([HOST]))
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + 21, hard))
    try:
        states = [state for _, state in sweep(dialer, [(HOST, 80)] * 30, 0.01)]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert states == [State.SILENT] * 30
    assert len(dialer.begun) > 30  # some were begun again
