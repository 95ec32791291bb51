"""A long body may take its time, but not as long as somebody likes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from starlette.requests import Request

from serment.entrypoints import bodies
from serment.entrypoints.bodies import in_time
from serment.entrypoints.dicomweb import stow
from serment.entrypoints.dicomweb.refused import Refused
from serment.entrypoints.web.pages import patients
from serment.errors import Unavailable


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "SILENCE_SECONDS", 0.5)
    monkeypatch.setattr(bodies, "GRACE_SECONDS", 0.2)


async def coming(count: int, size: int, pause: float) -> AsyncIterator[bytes]:
    for _ in range(count):
        await asyncio.sleep(pause)
        yield bytes(size)


async def read(body: AsyncIterator[bytes], work: float = 0.0) -> int:
    total = 0
    async for chunk in in_time(body):
        total += len(chunk)
        await asyncio.sleep(work)
    return total


def test_a_body_that_comes_is_read() -> None:
    assert asyncio.run(read(coming(100, 100_000, 0.0))) == 10_000_000


def test_silence_is_not_waited_for() -> None:
    with pytest.raises(TimeoutError):
        asyncio.run(read(coming(1, 100_000, 2.0)))


def test_a_drip_is_not_waited_for() -> None:
    with pytest.raises(TimeoutError):
        asyncio.run(read(coming(100, 1, 0.01)))


def test_what_we_do_meanwhile_is_not_held_against_the_sender() -> None:
    assert asyncio.run(read(coming(20, 1, 0.0), work=0.05)) == 20


def dripping() -> Request:
    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b"a", "more_body": True}

    return Request({"type": "http", "method": "POST", "headers": []}, receive)


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (lambda request: patients._body(request), Unavailable),
        (lambda request: stow._patiently(request.stream()), Refused),
    ],
    ids=["a member's document", "STOW-RS"],
)
def test_the_sender_is_told(
    body: Callable[[Request], AsyncIterator[bytes]], refusal: type[Exception]
) -> None:
    async def drain() -> None:
        async for _ in body(dripping()):
            pass

    with pytest.raises(refusal, match="slow"):
        asyncio.run(asyncio.wait_for(drain(), 5))
