"""Services that take their time, or hear no question but their own, on ports of no protocol, are told all the same."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from tests.e2e.network.running import HOST, audited

from serment.core.exposure.seen import Answer, Database, Dicom, Remote, Service

SLOW = 1.2  # seconds: longer than any first question waits
REJECTED = bytes.fromhex("03000000000400010103")  # permanently, the calling title
ACK = b"\x0bMSH|^~\\&|B|B|A|A|1||ACK|1|P|2.3\rMSA|AA|1\r\x1c\r"
PAGE = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
Talk = Callable[[socket.socket], None]


def dicom(peer: socket.socket) -> None:
    if peer.recv(65536)[:2] == b"\x01\0":
        time.sleep(SLOW)
        peer.sendall(REJECTED)


def http(peer: socket.socket) -> None:
    """Reads lines, as many small servers do, and thinks about each."""
    while not (data := peer.recv(65536)).endswith(b"\r\n") and b"\n" not in data:
        if not data:
            return
    time.sleep(SLOW / 2)
    peer.sendall(PAGE)


def mllp(peer: socket.socket) -> None:
    """Hears nothing but its own blocks."""
    held = b""
    while data := peer.recv(65536):
        held += data
        if b"\x0bMSH" in held and held.endswith(b"\x1c\r"):
            time.sleep(SLOW / 3)
            peer.sendall(ACK)
            held = b""


def redis(peer: socket.socket) -> None:
    """Looks for the end of a line up to a NUL, as C does, and takes the header of HTTP for an attack."""
    held = b""
    while data := peer.recv(65536):
        held += data
        line, end, _ = held.partition(b"\0")[0].partition(b"\n")
        if line.startswith(b"GET "):
            return
        if end:
            peer.sendall(b"-NOAUTH Authentication required.\r\n")
            held = b""


@contextmanager
def serving(talk: Talk) -> Iterator[int]:
    def one(peer: socket.socket) -> None:
        with peer, contextlib.suppress(OSError):
            talk(peer)

    def serve(server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, _ = server.accept()
                threading.Thread(target=one, args=(peer,), daemon=True).start()

    with socket.create_server((HOST, 0)) as server:
        threading.Thread(target=serve, args=(server,), daemon=True).start()
        yield server.getsockname()[1]


TALKS = (dicom, http, mllp, redis)


@pytest.fixture(scope="module")
def seen() -> Iterator[dict[str, Service]]:
    with ExitStack() as stack:
        ports = {talk.__name__: stack.enter_context(serving(talk)) for talk in TALKS}
        found = audited(*ports.values())
        yield {name: found[port] for name, port in ports.items()}


@pytest.mark.parametrize("name", [talk.__name__ for talk in TALKS])
def test_who_is_slow_is_still_told(seen: dict[str, Service], name: str) -> None:
    assert seen[name].protocol == name


def test_and_what_it_answered(seen: dict[str, Service]) -> None:
    assert seen["dicom"].facts == Dicom(refusal="calling")
    assert seen["redis"].facts == Database(Answer.REFUSED)


def prompting(*words: tuple[float, bytes]) -> Talk:
    """Says each word after so many seconds, negotiates nothing, and knows no command it is given."""

    def talk(peer: socket.socket) -> None:
        for seconds, word in words:
            time.sleep(seconds)
            peer.sendall(word)
        while peer.recv(65536):
            peer.sendall(b"sh: not found\r\n" + words[-1][1])

    return talk


DOORS: dict[str, tuple[Talk, Answer]] = {
    "shell": (prompting((0, b"# ")), Answer.YES),
    "shell that greets first": (prompting((0, b"Welcome\r\n"), (0.2, b"$ ")), Answer.YES),
    "shell that thinks": (prompting((0.8, b"Router>")), Answer.YES),
    "login that thinks": (prompting((0.8, b"login: ")), Answer.REFUSED),
    "login that greets first": (prompting((0, b"NAS\r\n"), (0.2, b"login: ")), Answer.REFUSED),
}


@pytest.fixture(scope="module")
def doors() -> Iterator[dict[str, Service]]:
    with ExitStack() as stack:
        ports = {name: stack.enter_context(serving(talk)) for name, (talk, _) in DOORS.items()}
        found = audited(*ports.values())
        yield {name: found[port] for name, port in ports.items()}


@pytest.mark.parametrize("name", DOORS)
def test_a_door_that_negotiates_nothing_is_told(doors: dict[str, Service], name: str) -> None:
    assert doors[name].protocol == "telnet"
    assert doors[name].facts == Remote(without_password=DOORS[name][1], clear=True)
