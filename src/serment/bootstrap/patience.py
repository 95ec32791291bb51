"""Connections to the pages: how long one may say nothing or read nothing, how long a head of a
request may be, and how many who may hold.

Without it a few addresses would take every place the server has: by silence, by requests that
never end, by answers they do not read, or by their number; and one alone its memory, by a head
without end. How long an answer takes to be made is left to the server, how long a body may take to
come is decided where it is read.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from serment.app.protect.sessions import Peer
from serment.bootstrap.straight import Room, Straight
from serment.core.access.throttle import address_key
from serment.entrypoints.bodies import STRAIGHT

HANDSHAKE_SECONDS = 10.0
REQUEST_SECONDS = 15.0  # for the whole head, since the connection or the answer before
READING_SECONDS = 60.0  # for what waits of an answer; more is not made while half a MiB waits
HEAD_BYTES = 64 * 1024  # or trailer, and one read more; the parser has no bound of its own
PLACES = 1024
PER_ADDRESS = 256  # one of them may be a proxy that speaks for many
STRANGERS = 512  # of the places, whatever their addresses: the others stay for members


def hurry_handshakes() -> None:
    """Have the running loop give up TLS handshakes sooner than its minute; uvicorn has no setting
    for it. Servers that listen on a socket of this loop afterwards must speak TLS."""
    loop: Any = asyncio.get_running_loop()
    loop.create_server = partial(loop.create_server, ssl_handshake_timeout=HANDSHAKE_SECONDS)


class Crowd:
    """Who holds how many places of this process. An IPv6 network of one customer counts as one
    address. This machine and the addresses where somebody is signed in are no strangers."""

    def __init__(self) -> None:
        self.held: Counter[str] = Counter()
        self.members: Callable[[], set[str]] = set  # addresses where somebody is signed in

    def enter(self, address: str) -> bool:
        """Count one more; whether there is room for it."""
        self.held[address] += 1
        if self.held[address] > PER_ADDRESS:
            return False
        if self.held.total() <= STRANGERS:
            return True
        members = {address_key(host) for host in self.members()}
        strangers = {one for one in self.held if one not in members and not Peer(f"{one}:0").here}
        return address not in strangers or sum(self.held[s] for s in strangers) <= STRANGERS

    def leave(self, address: str) -> None:
        self.held[address] -= 1
        self.held += Counter()  # forgets who holds none


class PatientProtocol(HttpToolsProtocol):
    """HTTP as before, after a look at who connects."""

    crowd: ClassVar[Crowd] = Crowd()

    _address: str | None = None
    _waiting: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _unfinished = 0  # bytes since a head, a piece of a body or a request was complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        if not isinstance(peer, tuple):
            return  # the local socket
        self._address = address_key(str(peer[0]))
        if self.crowd.enter(self._address):
            self._wait()
        else:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait(0)
        self._read()
        if self._address is not None:
            self.crowd.leave(self._address)
            self._address = None
        super().connection_lost(exc)
        self._forget()

    def pause_writing(self) -> None:
        """The caller does not read as fast as we send: what waits now is waited for so long."""
        super().pause_writing()
        if self._address is not None and self._unread is None:
            self._unread = self.loop.call_later(READING_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        self._read()
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        self._unfinished += len(data)
        super().data_received(data)
        if self._unfinished > HEAD_BYTES:
            self.transport.abort()

    def on_headers_complete(self) -> None:
        self._unfinished = 0
        self.scope[STRAIGHT] = self._straight  # type: ignore[typeddict-unknown-key]
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unfinished = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unfinished = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._address is not None:
            self._wait()

    def _straight(self, room: Room, length: int) -> Straight | None:
        """Have the next `length` bytes, the rest of the body, go into `room`; None while some of it
        waits to be asked for."""
        cycle: Any = self.cycle
        if cycle.body or not cycle.more_body or cycle.disconnected or self.transport.is_closing():
            return None
        self.flow.read_paused = False
        return Straight(self, room, length)

    def body_taken(self) -> None:
        """The parser saw the beginning of the body only: another one reads what follows."""
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        cycle: Any = self.cycle
        cycle.more_body = False
        cycle.message_event.set()

    def _forget(self) -> None:
        """The bytes of a body that nobody asks for any more: who knows whom here is a circle, and
        would keep them until the collector comes."""
        cycle: Any = self.cycle
        if cycle is not None:
            cycle.body = bytearray()

    def _read(self) -> None:
        """What waited was read, or nobody is left to read it."""
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _wait(self, seconds: float | None = None) -> None:
        """Look again after a while (0 = never) whether a whole head of a request has come."""
        if self._waiting is not None:
            self._waiting.cancel()
        seconds = REQUEST_SECONDS if seconds is None else seconds
        self._waiting = self.loop.call_later(seconds, self._give_up) if seconds else None

    def _give_up(self) -> None:
        """Close it unless a request is being answered; half of one does not count."""
        cycle: Any = self.cycle
        if cycle is None or cycle.response_complete:
            self.transport.abort()
