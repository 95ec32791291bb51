"""Connections to the pages that say nothing: how long one may wait, how many one address may hold.

Without it silent connections would take every place the server has. A connection that is
answered, or that sends its request, is left to the server and its own time-outs.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HANDSHAKE_SECONDS = 10.0
FIRST_REQUEST_SECONDS = 15.0
PER_ADDRESS = 256


def hurry_handshakes() -> None:
    """Have the running loop give up TLS handshakes sooner than its minute; uvicorn has no setting
    for it. Servers that listen on a socket of this loop afterwards must speak TLS."""
    loop: Any = asyncio.get_running_loop()
    loop.create_server = partial(loop.create_server, ssl_handshake_timeout=HANDSHAKE_SECONDS)


class PatientProtocol(HttpToolsProtocol):
    """HTTP as before, after a look at who connects."""

    held: ClassVar[Counter[str]] = Counter()  # connections of this process, by address

    _address: str | None = None
    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        self._address = str(peer[0]) if isinstance(peer, tuple) else ""  # "" is the local socket
        self.held[self._address] += 1
        if self._address and self.held[self._address] > PER_ADDRESS:
            transport.abort()
            return
        self._waiting = self.loop.call_later(FIRST_REQUEST_SECONDS, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
        if self._address is not None:
            self.held[self._address] -= 1
            if not self.held[self._address]:
                del self.held[self._address]
            self._address = None
        super().connection_lost(exc)

    def _give_up(self) -> None:
        """Close it when no whole head of a request has come."""
        cycle: Any = self.cycle
        if cycle is None:
            self.transport.abort()
