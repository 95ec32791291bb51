"""The web's side of the intake socket: bodies pass through as they come, never kept.

A caller who sends one upload after another over one connection of his has one connection to the
receiver, too, and one reception, as an association has (`more`); a moment after the last of them it
ends. Leaves to others: who may send, HTTP answers, how the bytes cross (`lane`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable, Sized
from pathlib import Path
from typing import Final

from serment.entrypoints.intake import framing
from serment.entrypoints.intake.framing import Request, Result
from serment.entrypoints.intake.lane import AHEAD, Lane
from serment.errors import SermentError
from serment.ports import Source

__all__ = ["AHEAD", "AsyncIntakeClient"]

KEPT_SECONDS: Final = 0.5  # after an answer, for the caller's next upload
KEPT_AT_MOST: Final = 8

Sending = Callable[[Lane], Awaitable[None]]
Into = Callable[[Lane], AsyncIterable[Sized]]
"""Gives bytes of a body, to be brought into the lane, and anything else for as many bytes as its
length says that are there already."""


class AsyncIntakeClient:
    """Talks to the receiver that listens at `path`; used in one event loop at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept: dict[Source, tuple[Lane, asyncio.TimerHandle]] = {}

    async def stow(
        self,
        source: Source,
        content_type: str,
        body: AsyncIterable[bytes] | Into,
        *,
        more: bool = False,
    ) -> list[Result]:
        """Store the body of a STOW-RS request; one result a part, in order.

        Args:
            body: its bytes; or what may bring them into the lane itself. How long the receiver
                takes is not counted as theirs.
            more: the same caller may send another one at once.

        Raises:
            FormatError: it is not a multipart/related body of application/dicom parts.
            SermentError: the request as a whole failed; nothing of it is acknowledged.
        """
        request = Request("stow", source, content_type=content_type, more=more)
        return await self._send(request, lambda lane: _body(lane, body))

    async def instances(
        self, source: Source, files: AsyncIterable[AsyncIterable[bytes]]
    ) -> list[Result]:
        """Store DICOM files uploaded from a page; one result a file, in order. Errors as `stow`;
        a file whose iteration raises a `SermentError` is given up and its result says why."""
        own: dict[int, SermentError] = {}
        request = Request("instances", source)
        results = await self._send(request, lambda lane: _files(lane, files, own))
        return [
            framing.failed(own[index]) if index in own else result
            for index, result in enumerate(results)
        ]

    async def document(
        self, source: Source, patient: str, title: str, pdf: AsyncIterable[bytes]
    ) -> Result:
        """Attach one PDF to the patient with that id. `SermentError`: it was not kept."""
        request = Request("document", source, patient=patient, title=title)
        results = await self._send(request, lambda lane: _body(lane, pdf))
        if not results:
            raise framing.cut_off()
        return results[0]

    def close(self) -> None:
        """End the receptions that were kept for a next upload; in the event loop."""
        for source in list(self._kept):
            self._put_away(source)

    async def _send(self, request: Request, sending: Sending) -> list[Result]:
        lane = await self._lane(request)
        whole = False
        try:
            await sending(lane)
            results = await lane.finish()
            whole = True
            return results
        finally:
            if whole and request.more:
                self._keep(request.source, lane)
            else:
                lane.close()

    async def _lane(self, request: Request) -> Lane:
        lane, timer = self._kept.pop(request.source, (None, None))
        if timer is not None:
            timer.cancel()
        if lane is None or lane.lost:
            return await Lane.open(self._path, request)
        lane.begin(request)
        return lane

    def _keep(self, source: Source, lane: Lane) -> None:
        for other in [source, *list(self._kept)[: 1 - KEPT_AT_MOST]]:
            self._put_away(other)
        timer = asyncio.get_running_loop().call_later(KEPT_SECONDS, self._put_away, source)
        self._kept[source] = lane, timer

    def _put_away(self, source: Source) -> None:
        lane, timer = self._kept.pop(source, (None, None))
        if lane is not None and timer is not None:
            timer.cancel()
            lane.close()


async def _body(lane: Lane, body: AsyncIterable[bytes] | Into) -> None:
    async for piece in body(lane) if callable(body) else body:
        if isinstance(piece, bytes):
            await lane.data(piece)
        else:
            await lane.has_room()
        if lane.over:
            return


async def _files(
    lane: Lane, files: AsyncIterable[AsyncIterable[bytes]], own: dict[int, SermentError]
) -> None:
    index = 0
    async for file in files:
        end = framing.NEXT
        try:
            await _body(lane, file)
        except SermentError as error:
            own[index], end = error, framing.CANCEL
        if lane.over:
            return
        lane.mark(end)
        index += 1
