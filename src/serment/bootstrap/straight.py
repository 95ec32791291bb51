"""The rest of a body, read off its connection straight into the memory where it is wanted.

The HTTP parser and the queue of the server would copy each byte three times more. A body whose length was
announced needs neither: its bytes are counted, and the parser has the connection back after the
last one. Leaves to others: the head and the first bytes (`patience`), how slowly it may come, where
the bytes go.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sized
from typing import Final, Protocol

from starlette.requests import ClientDisconnect

TOLD_AFTER: Final = 1024 * 1024  # bytes that came, or the time they may take
TOLD_SECONDS: Final = 1.0
_SCRATCH: Final = 64 * 1024


class Room(Protocol):
    """Where the bytes go."""

    def room(self) -> memoryview:
        """For the next bytes; empty while there is none."""

    def came(self, size: int) -> None:
        """So many bytes are in it now."""

    @property
    def over(self) -> bool:
        """Whether no more is wanted."""


class Http(Protocol):
    """What has the connection before and after."""

    transport: asyncio.Transport

    def connection_lost(self, exc: Exception | None) -> None: ...

    def eof_received(self) -> None: ...

    def pause_writing(self) -> None: ...

    def resume_writing(self) -> None: ...

    def body_taken(self) -> None:
        """The body is over; the connection is at the next request."""


class Straight(asyncio.BufferedProtocol):
    """Has the connection until `length` bytes have come, whoever still wants them; knows the room
    as long as they are wanted there."""

    def __init__(self, http: Http, room: Room, length: int) -> None:
        self._http = http
        self._room: Room | None = room
        self._left = length
        self._told = 0  # bytes that came and were not told of
        self._paused, self._lost = False, False
        self._news = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._transport = http.transport
        self._scratch = memoryview(b"")
        self._give(self)
        self._wait_for_room()

    async def pieces(self) -> AsyncIterator[Sized]:
        """What came, each time as much as its length says: some at a time, and whenever there is
        no room for more. What is not asked for any more is read over.

        Raises:
            ClientDisconnect: the caller is gone.
        """
        try:
            while (self._left or self._told) and self._wanted:
                await self._news.wait()
                self._news.clear()
                self._check()
                told, self._told = self._told, 0
                yield range(told)
            self._check()
        finally:
            self._drop()

    def look(self) -> None:
        """There may be room again, or nothing more be wanted."""
        if self._room is None or self._room.over:
            self._drop()
        elif len(self._room.room()):
            self._go_on()

    @property
    def _wanted(self) -> bool:
        return self._room is not None and not self._room.over

    # Called by the event loop

    def get_buffer(self, sizehint: int) -> memoryview:
        if self._room is not None:
            return self._room.room()[: self._left]
        if not len(self._scratch):
            self._scratch = memoryview(bytearray(_SCRATCH))
        return self._scratch[: self._left]

    def buffer_updated(self, nbytes: int) -> None:
        self._left -= nbytes
        if self._room is not None:
            self._told += nbytes
            self._room.came(nbytes)
        if not self._left:
            self._transport.pause_reading()
            asyncio.get_running_loop().call_soon(self._return)
        else:
            self._wait_for_room()
        self._tell()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost, self._paused = True, False
        self._drop()
        self._scratch = memoryview(b"")
        self._http.connection_lost(exc)

    def eof_received(self) -> None:
        self._http.eof_received()

    def pause_writing(self) -> None:
        self._http.pause_writing()

    def resume_writing(self) -> None:
        self._http.resume_writing()

    def _check(self) -> None:
        if self._lost and self._left:
            raise ClientDisconnect

    def _tell(self) -> None:
        if not self._left or self._paused or self._told >= TOLD_AFTER:
            self._stop_timer()
            self._news.set()
        elif self._room is not None and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(TOLD_SECONDS, self._time_to_tell)

    def _time_to_tell(self) -> None:
        self._timer = None
        self._news.set()

    def _drop(self) -> None:
        self._room = None
        self._stop_timer()
        self._news.set()
        self._go_on()

    def _go_on(self) -> None:
        if self._paused:
            self._paused = False
            self._transport.resume_reading()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait_for_room(self) -> None:
        if self._room is not None and not len(self._room.room()):
            self._paused = True
            self._transport.pause_reading()

    def _give(self, protocol: asyncio.BaseProtocol) -> None:
        """The transport looks at who has it when reading begins."""
        self._transport.pause_reading()
        self._transport.set_protocol(protocol)
        self._transport.resume_reading()

    def _return(self) -> None:
        if not self._lost:
            self._http.body_taken()
            self._give(self._http)  # type: ignore[arg-type]
