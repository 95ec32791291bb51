"""One connection of a probe: every wait has an end, every read a bound, whatever the peer does.

Leaves to others: opening it (`dialer`), and what the bytes mean (`probes`).
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Final

from serment.adapters.system import SystemClock

READ_LIMIT: Final = 512 * 1024  # bytes of one connection
_PIECE: Final = 64 * 1024
_SAID: Final = 256  # bytes by which a protocol is told
_GOODBYE_SECONDS: Final = 0.05  # for the peer to close too: the next connection is then alone


class Ended(Exception):
    """This talk is over; a probe may let it pass."""


class Silent(Ended):
    """No answer within the budget's patience."""


class Gone(Ended):
    """The peer refused, closed or reset the connection, or TLS failed (OpenSSL's word for why)."""


class Cut(Ended):
    """The service used up its time, or sent more than is read."""


class OutOfScope(Ended):
    """The address is not of the order, or the port is one that is never written to."""


class Budget:
    """The time one service has: `patience` seconds for each wait, all of it before `deadline`."""

    def __init__(
        self,
        seconds: float,
        patience: float,
        monotonic: Callable[[], float] | None = None,
    ) -> None:
        self._monotonic = monotonic = monotonic or SystemClock().monotonic
        self.began = monotonic()
        self.deadline = self.began + seconds
        self.patience = patience
        self.heard = 0  # bytes the service has said, on all connections
        self.said = b""  # the first of them on the connection that spoke last
        self.refusal = ""  # why TLS was last refused, in OpenSSL's words

    @property
    def left(self) -> float:
        """Seconds before the deadline; negative afterwards."""
        return self.deadline - self._monotonic()

    @contextlib.contextmanager
    def within(self, seconds: float) -> Iterator[Budget]:
        """Less time for one part of the talk, never more."""
        before = self.deadline
        self.deadline = min(before, self._monotonic() + seconds)
        try:
            yield self
        finally:
            self.deadline = before

    def wait(self) -> float:
        """How long the next wait may last. `Cut` when there is no time left."""
        left = self.left
        if left <= 0:
            raise Cut
        return min(self.patience, left)


class Line:
    """A connected socket within a budget; used by one thread, in a `with` block."""

    def __init__(self, connected: socket.socket, budget: Budget, limit: int = READ_LIMIT) -> None:
        self.socket = connected  # for a library that speaks the protocol; `settle` it before
        self.budget = budget
        self._left = limit
        self._ahead = bytearray()  # read, not yet asked for
        self._spoke = False

    def send(self, data: bytes) -> None:
        self.socket.settimeout(self.budget.wait())
        with _translated(self.budget):
            self.socket.sendall(data)

    def some(self, limit: int = _PIECE) -> bytes:
        """What comes next, at least one byte; b"" when the peer has closed."""
        if self._ahead:
            taken = bytes(self._ahead[:limit])
            del self._ahead[:limit]
            return taken
        return self._receive(limit)

    def exactly(self, count: int) -> bytes:
        """`count` bytes. `Gone` when the peer closes before, `Cut` beyond the bound."""
        if count > self._left + len(self._ahead):
            raise Cut  # announced, and never allocated
        while len(self._ahead) < count:
            self._more()
        return self.some(count) if count else b""

    def peek(self, count: int) -> bytes:
        """The next bytes without taking them, at least one and at most `count`."""
        if not self._ahead:
            self._more()
        return bytes(self._ahead[:count])

    def until(self, mark: bytes, limit: int = 4096) -> bytes:
        """Everything up to and with `mark`. `Cut` when it does not come within `limit` bytes."""
        start = 0
        while (at := self._ahead.find(mark, start)) < 0:
            if len(self._ahead) >= limit:
                raise Cut
            start = max(0, len(self._ahead) - len(mark) + 1)
            self._more()
        return self.some(at + len(mark))

    def rest(self, limit: int) -> bytes:
        """All until the peer closes, falls silent or `limit` is reached; never raises for those."""
        with contextlib.suppress(Ended):
            while len(self._ahead) < limit:
                self._more()
        return self.some(limit) if self._ahead else b""

    def start_tls(self, name: str = "", after: Line | None = None, anonymous: bool = False) -> None:
        """Speak TLS from here on, believing any certificate. `Gone` when it does not succeed.

        `after` is a connection to the same service whose session goes on here (FTP's data). `anonymous`:
        the server has no certificate (VNC).
        """
        context, session = open_context(anonymous=anonymous), None
        if after is not None and isinstance(after.socket, ssl.SSLSocket):
            context, session = after.socket.context, after.socket.session
        self.socket.settimeout(self.budget.wait())
        with _translated(self.budget):
            self.socket = context.wrap_socket(
                self.socket, server_hostname=name or None, session=session
            )

    def settle(self) -> socket.socket:
        """The socket with a time-out for a library: the whole rest of the budget."""
        self.socket.settimeout(max(self.budget.left, 0.01))
        return self.socket

    def close(self, polite: bool = True) -> None:
        """Close; wait a moment for the peer to close as well unless not `polite`."""
        with contextlib.suppress(OSError, ValueError):
            if polite:
                socket.socket.shutdown(self.socket, socket.SHUT_WR)
                self.socket.settimeout(_GOODBYE_SECONDS)
                self.socket.recv(_PIECE)
        with contextlib.suppress(OSError):
            self.socket.close()

    def cut(self) -> None:
        """End every wait on it, from another thread."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)

    def __enter__(self) -> Line:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def _more(self) -> None:
        piece = self._receive(_PIECE)
        if not piece:
            raise Gone
        self._ahead += piece

    def _receive(self, limit: int) -> bytes:
        if self._left <= 0:
            raise Cut
        self.socket.settimeout(self.budget.wait())
        with _translated(self.budget):
            data = self.socket.recv(min(limit, self._left))
        self._left -= len(data)
        self.budget.heard += len(data)
        if not self._spoke:
            self._spoke, self.budget.said = True, data[:_SAID]
        return data


def open_context(*, anonymous: bool = False) -> ssl.SSLContext:
    """A TLS client that believes anybody: what is asked is what a stranger may read. `anonymous`: it asks
    for no certificate, as TLS 1.2 and before can."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")  # what an audit looks for is old
    if anonymous:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("aNULL:@SECLEVEL=0")
    context.options |= getattr(ssl, "OP_LEGACY_SERVER_CONNECT", 0)
    return context


@contextlib.contextmanager
def _translated(budget: Budget) -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise Silent from None
    except ssl.SSLError as error:
        budget.refusal = error.reason or ""
        raise Gone(budget.refusal) from None
    except (OSError, ValueError):
        raise Gone from None
