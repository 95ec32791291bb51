"""A long body goes straight into the memory where it is wanted, and the connection goes on after it."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from serment.bootstrap import straight as module
from serment.bootstrap.patience import PatientProtocol
from serment.entrypoints.bodies import straight

SLOT = 100_000
MORE = bytes(range(256)) * 20_000  # 5 MB


class Pit:
    """Takes what a `Lane` takes: one slot, read by somebody who takes his time."""

    shared = True

    def __init__(self, wanted: int, pace: float) -> None:
        self._slot, self._filled, self._pace = memoryview(bytearray(SLOT)), 0, pace
        self._wanted = wanted
        self.read = bytearray()
        self.watch: Callable[[], None] | None = None
        self._roomy = asyncio.Event()
        self._roomy.set()

    @property
    def over(self) -> bool:
        return len(self.read) >= self._wanted

    def room(self) -> memoryview:
        return self._slot[self._filled :]

    def came(self, size: int) -> None:
        assert 0 < size <= len(self.room())
        self._filled += size
        if self._filled == SLOT:
            self._roomy.clear()
            asyncio.get_running_loop().call_later(self._pace, self.empty)

    def empty(self) -> None:
        self.read += self._slot[: self._filled]
        self._filled = 0
        self._roomy.set()
        if self.watch is not None:
            self.watch()

    async def has_room(self) -> None:
        await self._roomy.wait()

    async def data(self, chunk: bytes) -> None:
        rest = memoryview(chunk)
        while len(rest) and not self.over:
            await self.has_room()
            taken = min(len(rest), len(self.room()))
            self.room()[:taken] = rest[:taken]
            self.came(taken)
            rest = rest[taken:]


class Served:
    """A server, and what happened in it."""

    def __init__(self) -> None:
        self.pits: list[Pit] = []
        self.told: list[int] = []
        self.gone = threading.Event()
        self.port = 0

    async def take(self, request: Request) -> Response:
        pit = Pit(int(request.query_params.get("wanted", 1 << 60)), 0.001)
        self.pits.append(pit)
        try:
            async for piece in straight(request, pit):  # type: ignore[arg-type]
                self.told.append(len(piece))
                if isinstance(piece, bytes):
                    await pit.data(piece)
                await pit.has_room()
                if pit.over:
                    return PlainTextResponse("enough", 400)
        except ClientDisconnect:
            self.gone.set()
            raise
        pit.empty()
        return PlainTextResponse(hashlib.sha256(pit.read).hexdigest())

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), 20)


@pytest.fixture(params=[uvloop.new_event_loop, asyncio.new_event_loop], ids=["uvloop", "asyncio"])
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    found = Served()
    app = Starlette(routes=[Route("/", found.take, methods=["POST"])])
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="off", http=PatientProtocol
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    listener = socket.create_server(("127.0.0.1", 0))
    found.port = listener.getsockname()[1]

    def run() -> None:
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(server.serve(sockets=[listener]))

    thread = threading.Thread(target=run)
    thread.start()
    yield found
    server.should_exit = True
    thread.join(20)
    assert not thread.is_alive()


def head(length: int, more: str = "", query: str = "") -> bytes:
    said = f"POST /{query} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n{more}\r\n"
    return said.encode()


def answer(connection: socket.socket) -> tuple[int, bytes]:
    """Status and body of the next answer, and nothing behind it."""
    said = b""
    while b"\r\n\r\n" not in said:
        said += connection.recv(1)
    status = int(said.split(b" ")[1])
    lines = said.lower().split(b"\r\n")
    [size] = [int(line[15:]) for line in lines if line.startswith(b"content-length:")] or [0]
    body = b""
    while len(body) < size:
        body += connection.recv(size - len(body))
    return status, body


def eventually(told: Callable[[], int], wanted: int) -> None:
    end = time.monotonic() + 20
    while told() != wanted:
        assert time.monotonic() < end, f"{told()} instead of {wanted}"
        time.sleep(0.01)


def digest(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()


@pytest.mark.parametrize("size", [1, SLOT, SLOT + 1, len(MORE)])
def test_requests_follow_one_another_on_one_connection(served: Served, size: int) -> None:
    """All are sent before any is answered: not a byte of one goes into another."""
    bodies = [MORE[:size], MORE[1 : 1 + size // 2], b"", MORE[2 : 2 + size]]
    with served.connect() as connection:
        sender = threading.Thread(
            target=connection.sendall, args=(b"".join(head(len(b)) + b for b in bodies),)
        )
        sender.start()
        assert [answer(connection) for _ in bodies] == [(200, digest(b)) for b in bodies]
        sender.join()
    assert [bytes(pit.read) for pit in served.pits] == bodies


def test_few_words_about_much(served: Served) -> None:
    """What comes fast is not told of piece by piece, and yet all of it."""
    with served.connect() as connection:
        connection.sendall(head(len(MORE)) + MORE)
        assert answer(connection)[0] == 200
    assert sum(served.told) == len(MORE)


def test_what_comes_slowly_is_told_of_in_time(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or its sender would seem to be silent."""
    monkeypatch.setattr(module, "TOLD_SECONDS", 0.05)
    with served.connect() as connection:
        connection.sendall(head(500_000) + MORE[:150_000])
        eventually(lambda: sum(served.told), 150_000)
        connection.sendall(MORE[150_000:150_001])
        eventually(lambda: sum(served.told), 150_001)
        connection.sendall(MORE[150_001:500_000])
        assert answer(connection) == (200, digest(MORE[:500_000]))


def test_what_is_not_wanted_any_more_is_read_over(served: Served) -> None:
    """The sender gets his answer while he still sends, and the connection serves him on."""
    with served.connect() as connection:
        connection.sendall(head(len(MORE), query="?wanted=200000") + MORE[:2_000_000])
        assert answer(connection) == (400, b"enough")
        connection.sendall(MORE[2_000_000:] + head(3) + b"abc")
        assert answer(connection) == (200, digest(b"abc"))
    assert len(served.pits[0].read) < 1_000_000


def test_who_waits_for_leave_gets_it(served: Served) -> None:
    with served.connect() as connection:
        connection.sendall(head(len(MORE), "Expect: 100-continue\r\n"))
        assert answer(connection)[0] == 100
        connection.sendall(MORE)
        assert answer(connection) == (200, digest(MORE))


def test_a_caller_who_leaves_is_noticed(served: Served) -> None:
    with served.connect() as connection:
        connection.sendall(head(len(MORE)) + MORE[:1_000_000])
    assert served.gone.wait(20)
    with served.connect() as connection:
        connection.sendall(head(3) + b"abc")
        assert answer(connection) == (200, digest(b"abc"))
