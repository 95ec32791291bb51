"""Answers that stream: length first, pieces put together, stopped when the client is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.requests import ClientDisconnect

from serment.entrypoints.dicomweb.streams import PIECE, Part, Streamed, multipart, single
from serment.errors import IntegrityError


class Peer:
    """What an ASGI server gives an application: it takes messages, and may leave."""

    def __init__(self, leaves_after: int | None = None) -> None:
        self.messages: list[dict[str, Any]] = []
        self._leaves_after = leaves_after
        self._left = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        if self._leaves_after is not None:
            await self._left.wait()
            return {"type": "http.disconnect"}
        await asyncio.sleep(3600)
        raise AssertionError

    async def send(self, message: Any) -> None:
        self.messages.append(message)
        if self._leaves_after is not None and len(self.messages) > self._leaves_after:
            self._left.set()
        await asyncio.sleep(0)

    @property
    def body(self) -> bytes:
        return b"".join(m.get("body", b"") for m in self.messages[1:])

    @property
    def headers(self) -> dict[str, str]:
        return {k.decode(): v.decode() for k, v in self.messages[0]["headers"]}

    @property
    def ended(self) -> bool:
        return not self.messages[-1].get("more_body", False) and len(self.messages) > 1


def answer(response: Streamed, peer: Peer | None = None, method: str = "GET") -> Peer:
    async def run() -> Peer:
        found = peer or Peer()
        await response({"type": "http", "method": method}, found.receive, found.send)
        return found

    return asyncio.run(run())


def pieces(count: int, size: int, made: list[int]) -> Iterator[bytes]:
    for number in range(count):
        made.append(number)
        yield bytes([number % 256]) * size


def test_small_pieces_are_put_together() -> None:
    made: list[int] = []
    peer = answer(single(Part("a/b", pieces(1000, 4096, made), 4_096_000)))
    assert len(peer.body) == 4_096_000 == int(peer.headers["content-length"])
    assert peer.headers["content-type"] == "a/b"
    sizes = [len(m["body"]) for m in peer.messages[1:-1]]
    assert all(size >= PIECE for size in sizes[:-1])
    assert peer.ended


def test_head_makes_nothing() -> None:
    made: list[int] = []
    peer = answer(single(Part("a/b", pieces(3, 10, made), 30)), method="HEAD")
    assert (peer.body, made) == (b"", [])
    assert peer.headers["content-length"] == "30"


def test_parts_and_their_length() -> None:
    parts = [Part("a/b", iter([b"xy", b"z"]), 3), Part("c/d", iter([]), 0)]
    peer = answer(multipart("a/b", parts))
    boundary = peer.headers["content-type"].rpartition("boundary=")[2]
    assert (
        peer.body
        == (
            f"--{boundary}\r\nContent-Type: a/b\r\n\r\nxyz\r\n"
            f"--{boundary}\r\nContent-Type: c/d\r\n\r\n\r\n--{boundary}--\r\n"
        ).encode()
    )
    assert int(peer.headers["content-length"]) == len(peer.body)
    unknown = answer(multipart("a/b", [Part("a/b", iter([b"xyz"]), None)]))
    assert "content-length" not in unknown.headers
    assert unknown.ended


def test_nothing_is_made_for_a_client_that_left() -> None:
    made: list[int] = []

    async def run() -> None:
        peer = Peer(leaves_after=2)
        response = single(Part("a/b", pieces(1000, PIECE, made), 1000 * PIECE))
        with pytest.raises(ClientDisconnect):
            await response({"type": "http", "method": "GET"}, peer.receive, peer.send)
        assert not peer.ended

    asyncio.run(run())
    assert len(made) < 10


def test_what_breaks_off_is_not_ended() -> None:
    def broken() -> Iterator[bytes]:
        yield b"x" * PIECE
        raise IntegrityError("damaged")

    async def run() -> None:
        peer = Peer()
        response = single(Part("a/b", broken(), 2 * PIECE))
        with pytest.raises(IntegrityError):
            await response({"type": "http", "method": "GET"}, peer.receive, peer.send)
        assert not peer.ended
        assert len(peer.body) == PIECE

    asyncio.run(run())
