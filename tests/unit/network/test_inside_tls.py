"""Inside TLS a talk that breaks, or waits for ever, keeps what it understood, as one in clear does."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.e2e.network.certificates import certificate
from tests.unit.network.calling import HOST
from tests.unit.network.test_talks import broken, heard, probe

from serment.adapters.network import talks
from serment.adapters.network.probing import Call, Heard
from serment.core.exposure.seen import Answer, Service


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """Somebody who answers every line with the same one, inside TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate(tmp_path, bits=0))

    def talk(peer: socket.socket) -> None:
        with suppress(OSError), peer, context.wrap_socket(peer, server_side=True) as inside:
            while inside.recv(100):
                inside.sendall(b"yes\n")

    def serve() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=talk, args=(server.accept()[0],), daemon=True).start()

    with socket.create_server((HOST, 0), backlog=50) as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def understood(call: Call) -> bool:
    """Whether it says yes inside TLS; then it is "mine", and half of it is known."""
    with call.line() as line:
        line.send(b"mine?\n")
        if not call.tls or line.until(b"\n") != b"yes\n":
            return False
    call.understood()
    call.heard = Heard("mine", "half")
    return True


def checked(found: list[Service]) -> None:
    (service,) = found
    assert (service.protocol, service.product, service.cut) == ("mine", "half", True)
    assert service.tls is not None
    assert "TLSv1.3" in service.tls.versions
    assert service.tls.client_certificate is Answer.REFUSED


def test_what_was_understood_inside_stays_when_a_probe_breaks(port: int) -> None:
    def half(call: Call) -> Heard | None:
        return broken(call) if understood(call) else None

    checked(heard(port, (probe(half),)))


def test_one_that_breaks_before_it_understood_is_still_tls(port: int) -> None:
    (service,) = heard(port, (probe(lambda call: broken(call) if call.tls else None),))
    assert (service.protocol, service.cut) == ("tls", True)
    assert service.tls is not None


def test_a_library_that_waits_too_long_inside_is_cut(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(talks, "_GRACE_SECONDS", 0.1)
    monkeypatch.setattr(talks, "_LOOK_SECONDS", 0.05)

    def library(call: Call) -> Heard | None:
        if not understood(call):
            return None
        with call.line() as line:
            line.socket.settimeout(None)
            line.socket.recv(1)
        raise TypeError

    checked(heard(port, (probe(library),), host_seconds=2.0))
