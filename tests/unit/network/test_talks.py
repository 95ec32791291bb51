"""Hosts are talked to side by side; whatever a probe does, every conversation ends with an answer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from serment.adapters.network import talks
from serment.adapters.network.dialer import Dialer
from serment.adapters.network.probing import Call, Heard, HostProbe, Probe
from serment.adapters.network.scope import Scope
from serment.adapters.network.talks import Talks
from serment.core.exposure.findings import Place
from serment.core.exposure.seen import Service
from serment.ports.network import Order

HOST = "127.0.0.1"


@pytest.fixture
def port() -> Iterator[int]:
    """Somebody who answers every line with the same one."""

    def talk(peer: socket.socket) -> None:
        with peer:
            while peer.recv(100):
                peer.sendall(b"yes\n")

    def serve() -> None:
        while True:
            try:
                peer, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(peer,), daemon=True).start()

    with socket.create_server((HOST, 0), backlog=50) as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def heard(
    port: int, probes: tuple[Probe, ...] = (), hosts: tuple[HostProbe, ...] = (), **order: object
) -> list[Service]:
    wanted = Order((HOST,), (port,), **order)  # type: ignore[arg-type]
    run = Talks(wanted, Dialer(Scope((HOST,))), probes, hosts).run([HOST], [(HOST, port)])
    return [service for ended in run for service in ended.services]


def probe(talk: object, **more: object) -> Probe:
    return Probe("mine", talk, **more)  # type: ignore[arg-type]


def mine(call: Call) -> Heard | None:
    with call.line() as line:
        line.send(b"mine?\n")
        return Heard("mine") if line.until(b"\n") == b"yes\n" else None


def broken(call: Call) -> Heard | None:
    raise RuntimeError("DUPONT^Jean")


def late(call: Call) -> Heard | None:
    mine(call)
    call.understood()
    call.heard = Heard("mine", "half")
    with call.line() as line:
        return Heard(line.until(b"\n").decode())  # nothing was asked: nothing comes


def half(call: Call) -> Heard | None:
    mine(call)
    call.understood()
    call.heard = Heard("mine", "half")
    error: Exception = ERRORS.pop()
    raise error


ERRORS: list[Exception] = []


@pytest.mark.parametrize(
    "error", [TypeError, AttributeError, AssertionError, KeyError, RuntimeError], ids=str
)
def test_what_was_understood_stays_when_a_probe_breaks(port: int, error: type[Exception]) -> None:
    ERRORS.append(error("DUPONT^Jean"))
    (service,) = heard(port, (probe(half),))
    assert (service.protocol, service.product, service.cut) == ("mine", "half", True)


def test_a_service_is_understood(port: int) -> None:
    (service,) = heard(port, (probe(mine),))
    assert (service.protocol, service.place.proto, service.cut) == ("mine", "mine", False)


def test_a_probe_that_fails_ends_nothing(port: int, capfd: pytest.CaptureFixture[str]) -> None:
    (service,) = heard(port, (probe(broken),))
    assert (service.protocol, service.cut) == ("unknown", True)
    assert "DUPONT" not in "".join(capfd.readouterr())


def test_what_was_understood_before_the_cut_is_kept(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serment.adapters.network.probing.TALKING_PATIENCE", 0.05)
    (service,) = heard(port, (probe(late),))
    assert (service.protocol, service.product, service.cut) == ("mine", "half", True)


def test_a_service_that_no_probe_knows_is_unknown(port: int) -> None:
    (service,) = heard(port, (probe(lambda _: None), probe(lambda call: mine(call) and None)))
    assert service.protocol == "unknown"


def test_hosts_are_asked_over_udp_as_well(port: int) -> None:
    def ask(call: Call) -> Iterator[Service]:
        yield Service(Place(call.place.host, 161, "snmp"), "snmp")
        raise RuntimeError

    seen = heard(port, (probe(mine),), (HostProbe("snmp", ask),))
    assert {each.protocol for each in seen} == {"mine", "snmp"}


def test_a_library_that_waits_too_long_is_cut(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the socket itself, and no time-out: the watcher ends its wait."""
    monkeypatch.setattr(talks, "_GRACE_SECONDS", 0.1)
    monkeypatch.setattr(talks, "_LOOK_SECONDS", 0.05)

    def library(call: Call) -> Heard | None:
        with call.line() as line:
            line.socket.settimeout(None)
            return Heard("mine") if line.socket.recv(1) else None

    (service,) = heard(port, (probe(library),), silent_seconds=0.5)
    assert service.protocol == "unknown"


@pytest.mark.parametrize(
    ("ports", "one_at_a_time"),
    [
        ((80,), True),
        ((5555, 80, 22), True),
        ((104, 80, 443, 22, 3389), True),
        ((80, 443, 22, 445), False),
        (tuple(range(100, 120)), False),
    ],
)
def test_who_may_be_a_medical_device(ports: tuple[int, ...], one_at_a_time: bool) -> None:
    assert talks._may_be_device(ports) is one_at_a_time
