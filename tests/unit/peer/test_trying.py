"""What the helper asks of an open port, on sockets: a hello of each protocol, and nothing of a patient."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from tests.e2e.network.running import archives, free_port

from serment.adapters.network.line import OutOfScope
from serment.adapters.peer.trying import try_ports
from serment.core.exposure.peer.visit import Reached, Tried

HOST = "127.0.0.1"
Talk = Callable[[socket.socket], None]


@contextmanager
def server(talk: Talk) -> Iterator[tuple[int, list[bytes]]]:
    """A server that has one talk with each caller; its port, and what callers said first."""
    said: list[bytes] = []
    with socket.create_server((HOST, 0)) as listener:

        def one(peer: socket.socket) -> None:
            with peer:
                peer.settimeout(20)
                try:
                    talk(peer)
                    while data := peer.recv(4096):
                        said.append(data)
                except OSError:
                    return

        def serve() -> None:
            while True:
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=one, args=(peer,), daemon=True).start()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1], said
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def greeting(data: bytes) -> Talk:
    return lambda peer: peer.sendall(data)


def answering(start: bytes, data: bytes) -> Talk:
    """Answers to whoever begins with `start`, and hangs up on the others."""

    def talk(peer: socket.socket) -> None:
        if not peer.recv(4096).startswith(start):
            raise OSError
        peer.sendall(data)

    return talk


@pytest.mark.parametrize(
    ("talk", "name"),
    [
        (greeting(b"SSH-2.0-x\r\n"), "ssh"),
        (greeting(b"220 vsFTPd\r\n"), "ftp"),
        (greeting(b"220 mail.example ESMTP\r\n"), "mail"),
        (greeting(b"RFB 003.008\n"), "vnc"),
        (greeting(b"\xff\xfd\x18"), "telnet"),
        (greeting(b"J\0\0\0\x0a8.0.36\0"), "mysql"),
        (greeting(b"\x1b[31mhello"), "unknown"),
        (answering(b"HEAD", b"HTTP/1.0 200 OK\r\n\r\n"), "http"),
        (answering(b"\x16\x03", b"\x16\x03\x03\0\x50" + bytes(80)), "tls"),
        (answering(b"\x16\x03", b"\x15\x03\x01\0\x02\x02\x28"), "tls"),
        (
            answering(b"\x03\0\0\x13", bytes.fromhex("030000130ed000001234000209080002000000")),
            "rdp",
        ),
        (answering(b"PING", b"-NOAUTH Authentication required.\r\n"), "redis"),
        (answering(b"\1\0", bytes.fromhex("03000000000400010107")), "dicom"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_protocol_is_known_by_its_hello(talk: Talk, name: str) -> None:
    with server(talk) as (port, _):
        assert try_ports(HOST, [port]) == (Tried(port, Reached.OPEN, name),)


def test_an_archive_is_told_and_never_queried() -> None:
    with archives({"patients": 3}) as (port,):
        assert try_ports(HOST, [port]) == (Tried(port, Reached.OPEN, "dicom"),)


def test_nothing_that_is_said_asks_for_a_patient() -> None:
    """Six hellos: each is understood by its protocol, and none goes on after it."""
    with server(lambda peer: None) as (port, said):
        assert try_ports(HOST, [port]) == (Tried(port, Reached.OPEN, "silent"),)
    assert {each[:2] for each in said} == {b"\1\0", b"HE", b"\x16\x03", b"\3\0", b"PI"}
    (association,) = [each for each in said if each[:2] == b"\1\0"]
    assert b"1.2.840.10008.1.1" in association
    assert b"1.2.840.10008.5.1.4" not in association  # neither storage nor query is offered


def test_a_closed_port_is_closed() -> None:
    port = free_port()
    assert try_ports(HOST, [port]) == (Tried(port, Reached.CLOSED),)


@pytest.mark.parametrize(("port", "protocol"), [(9100, "printer"), (9108, "silent")])
def test_a_printer_gets_no_byte(port: int, protocol: str) -> None:
    """The port beside theirs shows that one would be heard."""
    try:
        listener = socket.create_server((HOST, port))
    except OSError:
        pytest.skip(f"port {port} is taken here")
    heard: list[bytes] = []
    with listener:

        def serve() -> None:
            while True:
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                with peer:
                    heard.append(peer.recv(10))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        assert try_ports(HOST, [port]) == (Tried(port, Reached.OPEN, protocol),)
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
    assert any(heard) is (protocol != "printer")


def test_it_calls_one_address() -> None:
    from serment.adapters.network.dialer import Dialer
    from serment.adapters.network.line import Budget
    from serment.adapters.network.scope import Scope

    with pytest.raises(OutOfScope):
        Dialer(Scope([HOST])).line("127.0.0.2", 80, Budget(1, 1))
