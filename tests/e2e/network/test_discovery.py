"""Who is looked for and who is left alone, over sockets: targets, ports, exclusions, names, devices.

What leads elsewhere once a service is spoken to is `test_scope`; a public address, `tests/e2e/peer`.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.network.running import free_port, script
from tests.e2e.network.webs import Answer, Web, web

from serment.adapters.memory.clock import MemoryClock
from serment.adapters.network.local import LocalNetwork
from serment.app.find.network import Wish, audit, prepare
from serment.core.exposure.report import Report
from serment.core.exposure.seen import Service
from serment.ports.network import Order

ROOT = Path(__file__).resolve().parent.parent.parent.parent
ADDRESSES = tuple(f"127.66.2.{number}" for number in range(1, 6))
UNSHARE = (
    ["unshare", "-nm"] if hasattr(os, "geteuid") and os.geteuid() == 0 else ["unshare", "-rnm"]
)


@contextmanager
def webs() -> Iterator[dict[str, Web]]:
    """A web server at the same port of each address."""
    port = free_port()
    with ExitStack() as stack:
        yield {
            host: stack.enter_context(web({"/": Answer("hello")}, host, port=port))
            for host in ADDRESSES
        }


def audited(*targets: str, **wish: Any) -> Report:
    network = LocalNetwork()
    prepared = prepare(network, Wish(targets, **wish))
    return audit(network, MemoryClock(datetime(2026, 11, 22, tzinfo=UTC)), prepared)


def called(found: dict[str, Web]) -> set[int]:
    """The last number of each address that was asked anything."""
    return {int(host.rpartition(".")[2]) for host, server in found.items() if server.asked}


@pytest.mark.parametrize(
    ("targets", "excluded", "expected"),
    [
        (["127.66.2.1"], [], {1}),
        (["127.66.2.0/30"], [], {1, 2}),
        (["127.66.2.2-4"], [], {2, 3, 4}),
        (["127.66.2.4-127.66.2.5", "127.66.2.1"], [], {1, 4, 5}),
        (["127.66.2.0/29"], ["127.66.2.2-3"], {1, 4, 5}),
        (["127.66.2.0/29"], ["127.66.2.0/30", "127.66.2.5"], {4}),
    ],
)
def test_only_targets_without_what_is_excluded_are_called(
    targets: list[str], excluded: list[str], expected: set[int]
) -> None:
    with webs() as found:
        port = found[ADDRESSES[0]].port
        report = audited(*targets, ports=(port,), excluded=tuple(excluded))
        assert called(found) == expected
    assert {int(each.place.host.rpartition(".")[2]) for each in report.scan.services} == expected


def test_only_the_ports_named_are_called() -> None:
    with web({}, ADDRESSES[0]) as wanted, web({}, ADDRESSES[0]) as other:
        report = audited(ADDRESSES[0], ports=(wanted.port,))
        assert wanted.asked
        assert other.asked == []
    assert [each.place.port for each in report.scan.services] == [wanted.port]


@pytest.fixture(scope="module")
def rebound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `rebinding.py` saw; where the system permits no such namespaces the tests say so."""
    if any(shutil.which(each) is None for each in ("unshare", "ip", "mount")):
        pytest.skip("no unshare here: a name that changes is not tried")
    tried = subprocess.run(
        [*UNSHARE, "ip", "link", "set", "lo", "up"], capture_output=True, check=False
    )
    if tried.returncode:
        pytest.skip("this system permits no network namespaces: a name that changes is not tried")
    done = subprocess.run(
        [*UNSHARE, *script("rebinding.py"), str(tmp_path_factory.mktemp("names"))],
        capture_output=True,
        text=True,
        check=True,
        timeout=200,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    return json.loads(done.stdout)


def test_a_name_is_resolved_once_and_pinned(rebound: dict[str, Any]) -> None:
    assert rebound["asked"] == ["127.66.1.1"]
    assert rebound["hosts"] == ["127.66.1.1"]
    assert rebound["then"] == []


def test_a_redirect_to_that_name_stays_where_it_was_resolved(rebound: dict[str, Any]) -> None:
    assert "GET /next" in rebound["first"]
    assert rebound["then"] == []


def test_links_of_a_fhir_server_lead_nowhere_else() -> None:
    """Links of its bundle and its statement of capabilities name another machine."""
    with web({}, "127.66.2.9") as other:
        away = f"http://127.66.2.9:{other.port}/fhir"
        bundle = {
            "resourceType": "Bundle", "type": "searchset", "total": 3,
            "link": [{"relation": "self", "url": away}, {"relation": "next", "url": away + "?page=2"}],
        }  # fmt: skip
        capability = {
            "resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "status": "active",
            "implementation": {"url": away}, "software": {"name": "x"},
        }  # fmt: skip
        pages = {
            f"{base}{path}": Answer(said, headers={"Content-Type": "application/fhir+json"})
            for base in ("", "/fhir", "/baseR4", "/r4", "/hapi-fhir/fhir")
            for path, said in (("/metadata", capability), ("/Patient", bundle))
        }
        with web(pages, ADDRESSES[0]) as server:
            report = audited(ADDRESSES[0], ports=(server.port,))
        assert other.asked == []
    (found,) = [each for each in report.findings if each.id == "X20"]
    assert found.readable is not None
    assert found.readable.count == 3


class Device:
    """A machine with a few open ports that counts how many connections it has at once.

    One thread: before a connection is accepted, all that have ended are noticed, so that a slow
    machine counts none twice.
    """

    def __init__(self, listeners: list[socket.socket]) -> None:
        self.most = 0
        self.ports = [each.getsockname()[1] for each in listeners]
        self._listeners, self._peers = listeners, list[socket.socket]()
        self._over = threading.Event()
        for each in listeners:
            each.setblocking(False)

    def serve(self) -> None:
        while not self._over.is_set():
            ready, _, _ = select.select([*self._listeners, *self._peers], [], [], 0.1)
            for listener in (each for each in ready if each in self._listeners):
                self._peers = [each for each in self._peers if self._answered(each)]
                with contextlib.suppress(OSError):
                    self._peers.append(listener.accept()[0])
                    self._peers[-1].setblocking(False)
                self.most = max(self.most, len(self._peers))
            self._peers = [each for each in self._peers if self._answered(each)]
        for each in self._peers:
            each.close()

    def stop(self) -> None:
        self._over.set()

    def _answered(self, peer: socket.socket) -> bool:
        """Whether it is still there; what it says is answered with nonsense."""
        try:
            while peer.recv(4096):
                peer.sendall(b"?\n")
        except BlockingIOError:
            return True
        except OSError:
            pass
        peer.close()
        return False


@contextmanager
def device(ports: int) -> Iterator[Device]:
    with ExitStack() as stack:
        made = Device(
            [stack.enter_context(socket.create_server((ADDRESSES[0], 0))) for _ in range(ports)]
        )
        thread = threading.Thread(target=made.serve)
        thread.start()
        try:
            yield made
        finally:
            made.stop()
            thread.join()


def looked_at(made: Device, *, fast: bool) -> set[int]:
    """The ports that an audit told; the port phase, which only connects, is left out."""
    places = frozenset((ADDRESSES[0], port) for port in made.ports)
    order = Order((ADDRESSES[0],), tuple(made.ports), fast=fast, only=places)
    return {each.place.port for each in LocalNetwork().audit(order) if isinstance(each, Service)}


def test_a_device_has_one_connection_at_a_time_unless_fast() -> None:
    with device(3) as slow:
        assert looked_at(slow, fast=False) == set(slow.ports)
    assert slow.most == 1
    with device(3) as quick:
        assert looked_at(quick, fast=True) == set(quick.ports)
    assert quick.most > 1
