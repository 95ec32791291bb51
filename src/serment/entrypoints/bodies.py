"""The body of a request that takes long, as it comes: how slowly it may come, and by which way.

Leaves to others: how large it may be, what is in it, what the sender is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sized
from typing import Final, TypeVar

from starlette.requests import ClientDisconnect, Request

from serment.entrypoints.intake.lane import Lane

S = TypeVar("S", bound=Sized)

SILENCE_SECONDS: Final = 60.0  # without a byte
GRACE_SECONDS: Final = 60.0  # of waiting, before the average counts
SLOWEST: Final = 1024  # bytes a second, on average

STRAIGHT: Final = "serment.straight"
"""Where the scope of a request has what reads the rest of a body straight into a `Lane`; see
`bootstrap.straight`."""


async def straight(request: Request, lane: Lane) -> AsyncIterator[Sized]:
    """The body: bytes that shall go into the lane, and, for each piece that is there already,
    something as long. Nothing here waits for the receiver.

    Raises:
        ClientDisconnect: the sender is gone.
    """
    take = request.scope.get(STRAIGHT)
    length = int(request.headers.get("content-length", "0"))
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk: bytes = message.get("body", b"")
        length -= len(chunk)
        yield chunk
        if not message.get("more_body", False):
            return
        reader = take(lane, length) if take is not None and lane.shared and length > 0 else None
        if reader is not None:
            lane.watch = reader.look
            async for piece in reader.pieces():
                yield piece
            return


async def in_time(body: AsyncIterator[S]) -> AsyncIterator[S]:
    """Give the chunks of `body`. Only waiting for the sender counts, not what is done with them.

    Raises:
        TimeoutError: nothing came for a while, or too little for too long.
    """
    clock = asyncio.get_running_loop().time
    waited, received = 0.0, 0
    while True:
        patience = min(SILENCE_SECONDS, GRACE_SECONDS + received / SLOWEST - waited)
        before = clock()
        try:
            async with asyncio.timeout(patience):  # costs no task, as wait_for does
                chunk = await anext(body)
        except StopAsyncIteration:
            return
        waited += clock() - before
        received += len(chunk)
        yield chunk
