"""Answers the command line over the local socket: one route, one table of requests.

Only the owner of the vault's folder can connect (the socket is 0600 in a 0700 folder). Passwords
travel in the body, never in an address, and are dropped with the request.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
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


def local_app(desk: Desk) -> Starlette:
    """The application behind the socket."""

    async def run(http: HttpRequest) -> Response:
        try:
            request = _read(await _body(http))
            result = await run_in_threadpool(answer, desk, request)
        except SermentError as error:
            return JSONResponse(failure(error), 400)
        except Exception as error:  # noqa: BLE001 - its message may hold a patient's value
            return JSONResponse(failure(unforeseen(error)), 500)
        if isinstance(result, Iterator):
            return _Stream(_guarded(result), getattr(result, "close", None))
        return JSONResponse({"answer": result})

    return Starlette(routes=[Route("/run", run, methods=["POST"])])


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
    async for chunk in http.stream():
        body += chunk
        if len(body) > BODY_LIMIT:
            raise FormatError(N_("this request is too long"))
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
