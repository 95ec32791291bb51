"""Connections that say nothing do not keep the pages from the others."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from serment.bootstrap import patience
from serment.core.crypto.certificates import issue, make_authority


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def served(work: Any, app: Any = app, **more: Any) -> Any:
    config = uvicorn.Config(
        app, port=0, lifespan="off", log_config=None, http=patience.PatientProtocol, **more
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        return await asyncio.wait_for(work(port), 30)
    finally:
        server.should_exit = True
        await serving


async def ask(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    answer = await reader.readline()
    writer.close()
    return answer


async def silence(port: int, half: bytes = b"GET / HT") -> bytes:
    """What a connection is told that says half a request; it returns once it was closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(half)
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


def test_a_silent_connection_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "REQUEST_SECONDS", 0.05)
    assert asyncio.run(served(silence)) == b""
    assert not patience.PatientProtocol.crowd.held


def test_a_second_request_must_come_whole_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither half a head nor the body of an answered request keeps a place."""
    monkeypatch.setattr(patience, "REQUEST_SECONDS", 0.2)
    whole = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
    for said in (whole + b"\r\nGET / HT", whole + b"Content-Length: 9\r\n\r\nhalf"):
        answer = asyncio.run(served(partial(silence, half=said)))
        assert answer.startswith(b"HTTP/1.1 204 No Content"), answer


async def endless(port: int, piece: bytes, before: bytes) -> int:
    """How many bytes of a head without end are taken before the connection is cut."""
    _reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(before)
    for count in range(10_000):
        writer.write(piece)
        try:
            await writer.drain()
        except ConnectionError:
            writer.close()
            return count * len(piece)
    raise AssertionError("it was never cut")


HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
TRAILED = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"


@pytest.mark.parametrize("before", [HEAD, HEAD + b"\r\n" + HEAD, TRAILED, b""])
@pytest.mark.parametrize("piece", [b"X: " + b"y" * 4000 + b"\r\n", b"y" * 4000, b"X: y\r\n" * 1000])
def test_a_head_without_end_is_cut(piece: bytes, before: bytes) -> None:
    """Far below what buffers on the way hold and 40 MB would be."""
    assert asyncio.run(served(partial(endless, piece=piece, before=before))) < 20_000_000


def test_a_long_body_is_no_head() -> None:
    async def send(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        size = 4 * patience.HEAD_BYTES
        writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(8):
            writer.write(bytes(size // 8))
            await writer.drain()
        answer = await reader.readline()
        writer.close()
        return answer

    async def reading(scope: dict[str, Any], receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        await app(scope, receive, send)

    assert asyncio.run(served(send, reading)).startswith(b"HTTP/1.1 204")


def test_an_answer_may_take_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "REQUEST_SECONDS", 0.05)

    async def slow(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await asyncio.sleep(0.3)
        await app(scope, receive, send)

    assert asyncio.run(served(ask, app=slow)).startswith(b"HTTP/1.1 204")
    # and what follows it has a deadline of its own
    said = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HT"
    answer = asyncio.run(served(partial(silence, half=said), app=slow, timeout_keep_alive=60))
    assert answer.startswith(b"HTTP/1.1 204")


LARGE = 64 * 1024 * 1024  # more than the buffers between two ends take


async def large(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """An answer that is long on its way, and takes a while to end once all of it was sent."""
    headers = [(b"content-length", b"%d" % LARGE)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for _ in range(63):
        await send({"type": "http.response.body", "body": bytes(LARGE // 64), "more_body": True})
    await asyncio.sleep(3 * patience.READING_SECONDS)
    await send({"type": "http.response.body", "body": bytes(LARGE // 64)})


async def taken(port: int, wait: Any = None) -> int:
    """How many bytes come to one who asks, waits for something, and then reads."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    if wait is not None:
        await wait()
    size = 0
    try:
        while more := await reader.read(1 << 20):
            size += len(more)
            if size >= LARGE:
                break
    except ConnectionResetError:
        pass
    writer.close()
    return size


def test_who_does_not_read_his_answer_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """He gets no more than what waited on its way, and his place is free."""
    monkeypatch.setattr(patience, "READING_SECONDS", 0.2)

    async def until_cut() -> None:
        while not patience.PatientProtocol.crowd.held:
            await asyncio.sleep(0.01)
        while patience.PatientProtocol.crowd.held:
            await asyncio.sleep(0.01)

    async def nothing(scope: dict[str, Any], receive: Any, send: Any) -> None:
        with contextlib.suppress(OSError):  # uvicorn may tell the application that he left
            await large(scope, receive, send)

    assert asyncio.run(served(partial(taken, wait=until_cut), nothing)) < LARGE
    assert not patience.PatientProtocol.crowd.held


def test_who_reads_his_answer_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often it had to wait for him, each wait has a time of its own."""
    monkeypatch.setattr(patience, "READING_SECONDS", 0.5)
    assert asyncio.run(served(taken, large)) >= LARGE


def test_one_address_holds_so_many_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "PER_ADDRESS", 2)

    async def crowd(port: int) -> list[bytes]:
        kept = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        refused = await silence(port, HEAD + b"\r\n")  # answered, were there a place
        for _, writer in kept:
            writer.close()
        while patience.PatientProtocol.crowd.held:
            await asyncio.sleep(0.01)
        return [refused, await ask(port)]

    assert asyncio.run(served(crowd)) == [b"", b"HTTP/1.1 204 No Content\r\n"]


def test_a_handshake_that_does_not_begin_is_given_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(patience, "HANDSHAKE_SECONDS", 0.05)
    now = datetime.now(UTC)
    pair = issue(*make_authority("Test", [], now), ["localhost"], ["127.0.0.1"], now, 2)
    for name, data in zip(("certificate", "key"), pair, strict=True):
        (tmp_path / name).write_bytes(data)

    async def hurried() -> bytes:
        patience.hurry_handshakes()
        where = {"ssl_certfile": tmp_path / "certificate", "ssl_keyfile": tmp_path / "key"}
        told: bytes = await served(partial(silence, half=b""), **where)
        return told

    assert asyncio.run(hurried()) == b""


def test_strangers_leave_places_to_members_and_to_this_machine() -> None:
    crowd = patience.Crowd()
    crowd.members = lambda: {"192.0.2.9"}
    each = patience.PER_ADDRESS
    many = [f"198.51.100.{number}" for number in range(patience.PLACES // each)]
    admitted = [address for address in many for _ in range(each) if crowd.enter(address)]
    assert len(admitted) == patience.STRANGERS < patience.PLACES
    for address in set(many):
        for _ in range(each - admitted.count(address)):
            crowd.leave(address)  # who was refused goes
    assert crowd.enter("192.0.2.9")
    assert crowd.enter("127.0.0.1") and crowd.enter("::1")
    assert not crowd.enter("203.0.113.1")
    crowd.leave("203.0.113.1")
    crowd.leave(many[0])
    assert crowd.enter("203.0.113.1")


def test_one_customers_network_is_one_address() -> None:
    keys = {patience.address_key(f"2001:db8::{end}") for end in ("1", "ffff")}
    assert len(keys) == 1
