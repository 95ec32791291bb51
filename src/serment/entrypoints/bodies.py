"""The body of a request that takes long, as it comes: how slowly it may come.

Leaves to others: how large it may be, what is in it, what the sender is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

SILENCE_SECONDS: Final = 60.0  # without a byte
GRACE_SECONDS: Final = 60.0  # of waiting, before the average counts
SLOWEST: Final = 1024  # bytes a second, on average


async def in_time(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
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
