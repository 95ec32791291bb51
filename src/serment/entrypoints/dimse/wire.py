"""One blocking connection, read into the caller's own memory and bounded in time.

Decides how bytes cross: no delay for small answers (TCP_NODELAY), acknowledgements at once where
the system can (TCP_QUICKACK: peers that write a unit in several pieces, as DCMTK does, otherwise
stall 40 ms), whole reads in the kernel where it can (MSG_WAITALL), a loop where it cannot. Leaves
to others: what the bytes mean.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from collections.abc import Callable
from typing import Final

from serment.ports import Clock

TICK: Final = 0.25  # seconds between two looks at the deadline and at the stop request
_DRAIN_SECONDS: Final = 1.0
_DRAIN_BYTES: Final = 1024 * 1024
_QUICKACK: Final = getattr(socket, "TCP_QUICKACK", None)


class PeerGone(Exception):
    """The connection was closed or reset by the other side."""


class TooSlow(Exception):
    """The peer took longer than it may."""


class Stopping(Exception):
    """The server stops, and this connection waits for nothing that has begun."""


class Wire:
    """A connection with deadlines; used by one thread."""

    def __init__(
        self,
        connection: socket.socket,
        clock: Clock,
        stopping: Callable[[], bool],
        send_seconds: float,
        whole_reads: bool = True,
    ) -> None:
        """
        Args:
            stopping: asked at each tick while nothing has begun.
            whole_reads: False takes the portable path everywhere (TLS, systems without
                MSG_WAITALL).
        """
        self._socket = connection
        self.now = clock.monotonic
        self._stopping = stopping
        self._send_seconds = send_seconds
        self._flags = 0
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if os.name == "posix" and whole_reads:
            # A Python timeout would make the socket non-blocking, and MSG_WAITALL without effect.
            connection.settimeout(None)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _timeval(TICK))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _timeval(send_seconds))
            self._flags = socket.MSG_WAITALL
        else:
            connection.settimeout(TICK)

    def read_into(self, view: memoryview, deadline: float, idle: bool = False) -> None:
        """Fill `view` completely.

        Args:
            deadline: monotonic seconds after which the peer is too slow.
            idle: nothing has begun yet, so a stop request ends the wait.

        Raises:
            PeerGone, TooSlow, Stopping.
        """
        got = 0
        while True:
            try:
                count = self._socket.recv_into(view[got:], 0, self._flags)
            except (BlockingIOError, TimeoutError):
                count = -1
            except OSError:
                raise PeerGone from None
            if count == 0:
                raise PeerGone
            got += max(count, 0)
            if got == len(view):
                return
            if idle and not got and self._stopping():
                raise Stopping
            if self.now() >= deadline:
                raise TooSlow

    def quick_ack(self) -> None:
        """Ask for immediate acknowledgements again; the system forgets it after each answer."""
        if _QUICKACK is not None:
            try:  # noqa: SIM105 - for each unit: half the time of contextlib.suppress
                self._socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
            except OSError:
                pass

    def send(self, data: bytes) -> None:
        """One write. `PeerGone` when it cannot be delivered in time."""
        try:
            if self._flags:
                self._socket.sendall(data)
            else:
                self._socket.settimeout(self._send_seconds)
                self._socket.sendall(data)
                self._socket.settimeout(TICK)
        except OSError:
            raise PeerGone from None

    def finish(self) -> None:
        """After the last answer: let the peer close first, as PS3.8 9.2 asks (Sta13), for a while.

        Closing at once, or with bytes unread, would destroy the answer before some peers read it.
        """
        scratch = memoryview(bytearray(64 * 1024))
        end, left = self.now() + _DRAIN_SECONDS, _DRAIN_BYTES
        with contextlib.suppress(OSError):
            while left > 0 and self.now() < end:
                try:
                    count = self._socket.recv_into(scratch)
                except (BlockingIOError, TimeoutError):
                    continue
                if not count:
                    break
                left -= count
        self.close()

    def close(self) -> None:
        """Close at once."""
        with contextlib.suppress(OSError):
            self._socket.close()

    def cut(self) -> None:
        """End every wait on this connection, from another thread."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)


def _timeval(seconds: float) -> bytes:
    whole, fraction = divmod(seconds, 1)
    return struct.pack("@ll", int(whole), int(fraction * 1_000_000))
