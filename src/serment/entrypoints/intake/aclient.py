"""The web's side of the intake socket: bodies pass through as they come, never kept.

The receiver's pace is the sender's pace: a chunk is taken from the HTTP request only while less
than `AHEAD` waits for the socket, so that both processes work at once. Leaves to others: who may send, HTTP answers.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterable, AsyncIterator
from pathlib import Path
from typing import Final

from serment.entrypoints.intake import framing, local
from serment.entrypoints.intake.framing import Request, Result
from serment.errors import SermentError
from serment.ports import Source

AHEAD: Final = 1024 * 1024  # bytes of a body that may wait here while the receiver seals


class AsyncIntakeClient:
    """Talks to the receiver that listens at `path`; one connection a call."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def stow(
        self, source: Source, content_type: str, body: AsyncIterable[bytes]
    ) -> list[Result]:
        """Store the body of a STOW-RS request; one result a part, in order.

        Raises:
            FormatError: it is not a multipart/related body of application/dicom parts.
            SermentError: the request as a whole failed; nothing of it is acknowledged.
        """
        request = Request("stow", source, content_type=content_type)
        return await self._send(request, _data(body))

    async def instances(
        self, source: Source, files: AsyncIterable[AsyncIterable[bytes]]
    ) -> list[Result]:
        """Store DICOM files uploaded from a page; one result a file, in order. Errors as `stow`;
        a file whose iteration raises a `SermentError` is given up and its result says why."""
        own: dict[int, SermentError] = {}
        results = await self._send(Request("instances", source), _files(files, own))
        return [
            framing.failed(own[index]) if index in own else result
            for index, result in enumerate(results)
        ]

    async def document(
        self, source: Source, patient: str, title: str, pdf: AsyncIterable[bytes]
    ) -> Result:
        """Attach one PDF to the patient with that id. `SermentError`: it was not kept."""
        request = Request("document", source, patient=patient, title=title)
        results = await self._send(request, _data(pdf))
        if not results:
            raise framing.cut_off()
        return results[0]

    async def _send(self, request: Request, items: AsyncIterator[bytes]) -> list[Result]:
        reader, writer = await self._open()
        answers = asyncio.ensure_future(_results(reader))
        try:
            writer.write(framing.encode_request(request))
            async for item in items:
                writer.write(item)
                await _drain(writer)
                if answers.done():  # it has failed already: no use sending more
                    break
            writer.write(framing.HEAD.pack(framing.END, 0))
            await _drain(writer)
            return await answers
        finally:
            # Closing without the end frame is how the receiver learns that the body broke off.
            answers.cancel()
            await asyncio.gather(answers, return_exceptions=True)
            writer.transport.abort()

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            connection = await asyncio.to_thread(local.connect, self._path)
        except OSError as error:
            raise framing.not_running() from error
        connection.setblocking(False)
        opened = await asyncio.open_unix_connection(sock=connection, limit=framing.MAX_ANSWER)
        opened[1].transport.set_write_buffer_limits(high=AHEAD)
        return opened


async def _data(body: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    async for chunk in body:
        for frame in framing.frames(framing.DATA, chunk):
            yield frame


async def _files(
    files: AsyncIterable[AsyncIterable[bytes]], own: dict[int, SermentError]
) -> AsyncIterator[bytes]:
    index = 0
    async for file in files:
        end = framing.NEXT
        try:
            async for chunk in file:
                for frame in framing.frames(framing.DATA, chunk):
                    yield frame
        except SermentError as error:
            own[index], end = error, framing.CANCEL
        yield framing.HEAD.pack(end, 0)
        index += 1


async def _drain(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):  # it has ended: its reason is in the answers
        await writer.drain()
    await asyncio.sleep(0)  # a body that is there at once must not keep the answer from being read


async def _results(reader: asyncio.StreamReader) -> list[Result]:
    results: list[Result] = []
    while True:
        try:
            line = await reader.readuntil(b"\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            raise framing.cut_off() from None
        more = framing.parse_answer(line)
        if more is None:
            return results
        results += more
