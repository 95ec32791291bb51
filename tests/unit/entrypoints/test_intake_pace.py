"""The web process keeps no more of an upload than a little, however slow the receiver is."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path

from serment.entrypoints.intake import local
from serment.entrypoints.intake.aclient import AHEAD, AsyncIntakeClient
from serment.ports import Source

CHUNK = 64 * 1024
STILL_SECONDS = 0.3  # without another chunk taken: the client waits


def test_the_receivers_pace_is_the_senders_pace(tmp_path: Path) -> None:
    listener = local.listen(tmp_path / "intake")
    room = listener.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
    try:
        taken = asyncio.run(_taken_by_one_that_never_reads(tmp_path / "intake"))
    finally:
        listener.close()
    assert AHEAD <= taken <= AHEAD + 2 * room + 2 * CHUNK


async def _taken_by_one_that_never_reads(path: Path) -> int:
    taken = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal taken
        while taken < 64 * AHEAD:
            taken += CHUNK
            yield bytes(CHUNK)

    source = Source("stow", None, None, "", "")
    sending = asyncio.create_task(AsyncIntakeClient(path).stow(source, "", body()))
    before = -1
    while taken != before:
        before = taken
        await asyncio.sleep(STILL_SECONDS)
    sending.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await sending
    return taken
