"""Connections that say nothing do not keep the pages from the others."""

from __future__ import annotations

import asyncio
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


async def served(work: Any, **more: Any) -> Any:
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
    monkeypatch.setattr(patience, "FIRST_REQUEST_SECONDS", 0.05)
    assert asyncio.run(served(silence)) == b""
    assert not patience.PatientProtocol.held


def test_one_address_holds_so_many_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "PER_ADDRESS", 2)

    async def crowd(port: int) -> list[bytes]:
        kept = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        refused = await silence(port)
        for _, writer in kept:
            writer.close()
        while patience.PatientProtocol.held:
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
