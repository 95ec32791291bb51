"""The web's end of one connection to the receiver: a body goes into the memory that both see, or
through the socket where the system has no such memory.

No more of a body waits here than `AHEAD`, so that the receiver's pace is the sender's pace. What is
there is handed over as soon as the receiver has nothing else to do, or fills a slot. Leaves to
others: what is sent, and when a connection is used again (`aclient`).
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Final

from serment.entrypoints.intake import framing, local, shared
from serment.entrypoints.intake.framing import Request, Result
from serment.errors import SermentError

AHEAD: Final = (shared.SLOTS - 1) * shared.SLOT  # bytes that may wait while the receiver seals


class Lane(asyncio.Protocol):
    """Serves one request at a time; `begin` it, send, `finish` it."""

    def __init__(self, memory: shared.Memory | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._memory = memory
        self._free, self._slot, self._filled = shared.SLOTS, 0, 0
        self._paused = False  # the socket takes no more
        self._waiting: asyncio.Future[None] | None = None  # for a free slot, or the socket
        self.watch: Callable[[], None] | None = None  # called when there may be room, or at the end
        self._transport: asyncio.Transport
        self._held = b""
        self.lost = False
        self._expect_answers()

    @classmethod
    async def open(cls, path: Path, request: Request) -> Lane:
        """A new connection, its first request begun. `Unavailable`: nobody listens there."""
        line = framing.encode_request(request)
        try:
            connection, memory = await asyncio.to_thread(_connect, path, line)
        except OSError as error:
            raise framing.not_running() from error
        lane = cls(memory)
        loop = asyncio.get_running_loop()
        try:
            await loop.create_unix_connection(lambda: lane, sock=connection)
        except BaseException:
            lane._end()
            raise
        return lane

    def begin(self, request: Request) -> None:
        """A further request."""
        self._expect_answers()
        self._say(framing.encode_request(request))

    @property
    def over(self) -> bool:
        """Whether the receiver said its last word already: no use sending more."""
        return self._done.done()

    @property
    def shared(self) -> bool:
        """Whether bytes may go into the memory by another way than `data`: `room` and `came`."""
        return self._memory is not None

    def room(self) -> memoryview:
        """For the next bytes, which `came` then; empty while there is none."""
        if self._memory is None or not self._free:
            return memoryview(b"")
        return self._memory.room(self._slot, self._filled)

    def came(self, size: int) -> None:
        """So many bytes are in the room."""
        self._filled += size
        if self._filled == shared.SLOT or self._free == shared.SLOTS:
            self._hand_over()

    async def has_room(self) -> None:
        """Return once there is room, or nothing more is wanted."""
        while not self.over and self._memory is not None and not self._free:
            await self._wait()

    async def data(self, chunk: bytes) -> None:
        """The next bytes of a body or file."""
        if self._memory is None:
            await self._through_the_socket(chunk)
            return
        rest = memoryview(chunk)
        while len(rest):
            await self.has_room()
            if self.over:
                return
            rest = rest[self._put(rest) :]

    def mark(self, kind: bytes) -> None:
        """Say something that has no payload: where a file ends."""
        self._hand_over()
        self._say(framing.HEAD.pack(kind, 0))

    async def finish(self) -> list[Result]:
        """All is sent: the results. `SermentError`: the request as a whole failed."""
        self.watch = None
        self.mark(framing.END)
        await self._done
        return self._results

    def close(self) -> None:
        """Without an end said before, the receiver takes the body for broken off. Nothing of it is
        left here."""
        self._transport.abort()
        self._end()

    # Called by the event loop

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        transport.set_write_buffer_limits(high=AHEAD)

    def data_received(self, data: bytes) -> None:
        *lines, self._held = (self._held + data).split(b"\n")
        for line in lines:
            if line:
                self._answered(line)
            else:
                self._freed()
        if len(self._held) > framing.MAX_ANSWER:
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        self._end()

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._wake()

    def _end(self) -> None:
        """No answer comes any more; who watches lets go of the memory, then it goes."""
        self._fail(framing.cut_off())
        self.watch = None
        memory, self._memory = self._memory, None
        if memory is not None:
            memory.close()

    def _expect_answers(self) -> None:
        self._results: list[Result] = []
        self._done: asyncio.Future[None] = self._loop.create_future()
        self._done.add_done_callback(_seen)
        if self.lost:
            self._fail(framing.cut_off())

    def _answered(self, line: bytes) -> None:
        try:
            more = framing.parse_answer(line)
        except SermentError as error:
            self._fail(error)
            return
        if more is not None:
            self._results += more
        elif not self._done.done():
            self._done.set_result(None)
            self._wake()

    def _fail(self, error: SermentError) -> None:
        if not self._done.done():
            self._done.set_exception(error)
        self._wake()

    def _freed(self) -> None:
        self._free += 1
        if self._free == shared.SLOTS:  # it has nothing to do
            self._hand_over()
        self._wake()

    def _put(self, data: memoryview) -> int:
        """Into the room there is; how much of it."""
        room = self.room()
        taken = min(len(data), len(room))
        room[:taken] = data[:taken]
        self.came(taken)
        return taken

    def _hand_over(self) -> None:
        if self._filled:
            self._say(framing.HEAD.pack(framing.SHARED, self._filled))
            self._free -= 1
            self._slot, self._filled = (self._slot + 1) % shared.SLOTS, 0

    def _say(self, words: bytes) -> None:
        """To nobody, when the connection is gone: the reason is in the answers."""
        if not self._transport.is_closing():
            self._transport.write(words)

    async def _through_the_socket(self, chunk: bytes) -> None:
        for frame in framing.frames(framing.DATA, chunk):
            if self._paused and not self.over:
                await self._wait()
            self._say(frame)
        await asyncio.sleep(0)  # a body that is there at once must not keep the answer unread

    async def _wait(self) -> None:
        self._waiting = self._loop.create_future()
        try:
            await self._waiting
        finally:
            self._waiting = None

    def _wake(self) -> None:
        if self.watch is not None:
            self.watch()
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


def _connect(path: Path, line: bytes) -> tuple[socket.socket, shared.Memory | None]:
    """A connection that has said the first line and given the memory, and that memory."""
    connection, memory = local.connect(path), None
    try:
        memory = shared.make()
        if memory is not None:
            line = line[memory.give(connection, line) :]
        connection.sendall(line)
        connection.setblocking(False)
    except BaseException:
        connection.close()
        if memory is not None:
            memory.close()
        raise
    return connection, memory


def _seen(done: asyncio.Future[None]) -> None:
    """Nobody may ask for a failure any more: the caller had one of its own."""
    if not done.cancelled():
        done.exception()
