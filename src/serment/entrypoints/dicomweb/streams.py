"""Answers that are written while they are opened: a piece is made while the one before is sent.

The length is told beforehand where it is known, else the answer is sent in chunks: either way one
that breaks off, because something is damaged or the practice was locked, cannot be taken for a
whole one. Nothing is made for a client that left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from serment.core.crypto.entropy import new_id
from serment.entrypoints.dicomweb.answers import related

PIECE = 512 * 1024  # bytes: smaller pieces are put together


@dataclass(frozen=True, slots=True)
class Part:
    """One part of an answer: its media type, how its bytes are made, and how many there will be
    (None: not known before)."""

    media: str
    pieces: Iterator[bytes]
    size: int | None


class Streamed(Response):
    """One body; `pieces` runs in threads, one step at a time."""

    def __init__(
        self,
        pieces: Iterator[bytes],
        size: int | None,
        media_type: str,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._pieces = pieces
        self.status_code = status
        self.media_type = media_type
        self.background = None
        length = {} if size is None else {"Content-Length": str(size)}
        self.init_headers({**(headers or {}), **length})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": self.status_code}
        await send({**start, "headers": self.raw_headers})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return
        leaving = asyncio.create_task(_left(receive))
        try:
            await self._send(send, leaving)
        finally:
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)

    async def _send(self, send: Send, leaving: asyncio.Task[None]) -> None:
        following = asyncio.create_task(self._next())
        try:
            while (piece := await following) is not None:
                if leaving.done():
                    raise ClientDisconnect
                following = asyncio.create_task(self._next())
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            await asyncio.gather(following, return_exceptions=True)

    async def _next(self) -> bytes | None:
        return await run_in_threadpool(next, self._pieces, None)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def single(part: Part, headers: Mapping[str, str] | None = None) -> Streamed:
    """The part alone."""
    more = {**(headers or {}), "Vary": "Accept"}
    return Streamed(_together(part.pieces), part.size, part.media, headers=more)


def multipart(
    inner: str, parts: Sequence[Part], headers: Mapping[str, str] | None = None
) -> Streamed:
    """All parts as multipart/related of that type (RFC 2387, PS3.18 8.6.1.2.1)."""
    boundary = new_id()
    heads = [f"--{boundary}\r\nContent-Type: {p.media}\r\n\r\n".encode("ascii") for p in parts]
    tail = f"--{boundary}--\r\n".encode("ascii")

    def body() -> Iterator[bytes]:
        for head, part in zip(heads, parts, strict=True):
            yield head
            yield from part.pieces
            yield b"\r\n"
        yield tail

    around = sum(map(len, heads)) + 2 * len(parts) + len(tail)
    sizes = [part.size for part in parts if part.size is not None]
    size = around + sum(sizes) if len(sizes) == len(parts) else None
    more = {**(headers or {}), "Vary": "Accept"}
    return Streamed(_together(body()), size, related(inner, boundary), headers=more)


def _together(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of at least `PIECE`: each costs a turn of the event loop."""
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= PIECE:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)
