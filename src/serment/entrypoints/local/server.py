"""Answers the command line over the local socket: one route, one table of requests.

Only the owner of the vault's folder can connect (the socket is 0600 in a 0700 folder). Passwords
travel in the body, never in an address, and are dropped with the request.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from serment.core.masked import Masked
from serment.entrypoints.desk.desk import Desk
from serment.entrypoints.desk.request import Request
from serment.entrypoints.desk.table import answer
from serment.entrypoints.faults import unforeseen
from serment.errors import N_, FormatError, SermentError

BODY_LIMIT = 1024 * 1024
BODY_SECONDS = 20.0  # for the whole of it: the command line has it ready
LINES = "application/x-ndjson"
LOOK_SECONDS = 0.3


def local_app(desk: Desk) -> Starlette:
    """The application behind the socket."""

    async def run(http: HttpRequest) -> Response:
        try:
            request, counted = _read(await _body(http)), Counted()
            work = partial(answer, desk, replace(request, progress=counted))
            if LINES in http.headers.get("accept", ""):
                return StreamingResponse(_lines(work, counted), media_type=LINES)
            result = await run_in_threadpool(work)
        except SermentError as error:
            return JSONResponse(failure(error), 400)
        except Exception as error:  # noqa: BLE001 - its message may hold a patient's value
            return JSONResponse(failure(unforeseen(error)), 500)
        if isinstance(result, Iterator):
            return _Stream(_guarded(result), getattr(result, "close", None))
        return JSONResponse({"answer": result})

    return Starlette(routes=[Route("/run", run, methods=["POST"])])


@dataclass(slots=True)
class Counted:
    """`serment.ports.Progress` that is looked at from time to time."""

    expected: int | None = None
    done: int = 0

    def total(self, count: int) -> None:
        self.expected = count

    def step(self, count: int = 1) -> None:
        self.done += count


async def _lines(work: Callable[[], Any], counted: Counted) -> AsyncIterator[bytes]:
    """One line now and then about how far the work is, and last its answer or error."""
    task = asyncio.create_task(run_in_threadpool(work))
    while not (await asyncio.wait({task}, timeout=LOOK_SECONDS))[0]:
        if counted.expected is not None:
            yield _line({"done": counted.done, "total": counted.expected})
    try:
        yield _line({"answer": task.result()})
    except SermentError as error:
        yield _line(failure(error))
    except Exception as error:  # noqa: BLE001 - its message may hold a patient's value
        yield _line(failure(unforeseen(error)))


def _line(said: dict[str, Any]) -> bytes:
    return json.dumps(said).encode() + b"\n"


class _Stream(StreamingResponse):
    """Bytes as they come; what gives them is closed however it ends, also before it began."""

    def __init__(self, chunks: Iterator[bytes], close: Callable[[], None] | None) -> None:
        super().__init__(chunks, media_type="application/octet-stream")
        self._close = close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self._close is not None:
                await run_in_threadpool(self._close)


def _guarded(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes; a fault on the way cuts the answer without a word of what it held."""
    try:
        yield from chunks
    except Exception as error:  # noqa: BLE001 - its message may hold a patient's value
        raise unforeseen(error) from None


def failure(error: SermentError) -> dict[str, Any]:
    """An error as JSON, complete enough to be raised again by the client."""
    return {
        "error": type(error).__name__,
        "message": error.message,
        "hint": error.hint,
        "values": {key: str(value) for key, value in error.values.items()},
    }


async def _body(http: HttpRequest) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in http.stream():
                body += chunk
                if len(body) > BODY_LIMIT:
                    raise FormatError(N_("this request is too long"))
    except TimeoutError as slow:
        raise FormatError(N_("this request cannot be read")) from slow
    return bytes(body)


def _read(untrusted_body: bytes) -> Request:
    try:
        said = json.loads(untrusted_body)
        command, options = str(said["command"]), dict(said["options"])
    except (ValueError, KeyError, TypeError) as error:
        raise FormatError(N_("this request cannot be read")) from error
    return Request(
        command,
        options,
        said.get("login"),
        _secret(said, "password"),
        _secret(said, "new_password"),
    )


def _secret(said: dict[str, Any], name: str) -> Masked[str] | None:
    value = said.get(name)
    return Masked(value) if isinstance(value, str) else None
