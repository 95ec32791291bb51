"""The receiver's side of the intake socket: one thread and one reception a connection.

Decides when what came is made durable (once a request, every 64 MiB or 128 results) and answered.
Leaves to others: the format on the socket (`framing`), the parts (`requests`), storing.
"""

from __future__ import annotations

import contextlib
import io
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from serment.entrypoints.intake import framing, local
from serment.entrypoints.intake.requests import Bounds, Cut, Frames, serve
from serment.entrypoints.intake.shared import Arriving
from serment.errors import N_, Busy, FormatError, SermentError, Unavailable
from serment.ports import Receiver

_TICK: Final = 0.25
_LINGER_SECONDS: Final = 2.0
_LINGER_BYTES: Final = 64 * 1024 * 1024

Fault = Callable[[Exception], None]
Done = Callable[[], None]
HandOver = Callable[[socket.socket, Done], bool]
"""Have a connection served elsewhere; whether it is. Calls `Done` once it has ended."""


@dataclass(frozen=True, slots=True)
class IntakeLimits:
    """Times are seconds, sizes bytes."""

    requests: int = 64
    idle_seconds: float = 60
    object_bytes: int = 16 * 1024**3
    parts: int = 100_000
    flush_bytes: int = 64 * 1024 * 1024
    stop_seconds: float = 10


class IntakeServer:
    """Listens on a Unix socket (0600) in the receiver's process."""

    def __init__(
        self,
        receiver: Receiver,
        limits: IntakeLimits | None = None,
        on_fault: Fault | None = None,
        hand_over: HandOver | None = None,
    ) -> None:
        self._receiver = receiver
        self._limits = limits or IntakeLimits()
        self._on_fault = on_fault or (lambda fault: None)
        self._hand_over = hand_over or (lambda connection, done: False)
        self._stopping = threading.Event()
        self._places = 0  # taken, here or elsewhere
        self._changed = threading.Condition()
        self._connections: dict[threading.Thread, socket.socket] = {}
        self._listener: socket.socket | None = None
        self._accepting: threading.Thread | None = None
        self._path: Path | None = None

    def start(self, path: Path) -> None:
        """Listen at `path`. `Unavailable` when it cannot."""
        self._listener = local.listen(path)
        self._path = path
        self._listener.settimeout(_TICK)
        self._accepting = threading.Thread(target=self._accept, name="intake", daemon=True)
        self._accepting.start()

    @property
    def active(self) -> int:
        """How many requests are served here now."""
        with self._changed:
            return len(self._connections)

    def stop(self) -> None:
        """Accept nothing more, let objects under way end, tell the others, return."""
        self._stopping.set()
        if self._path is not None:
            with contextlib.suppress(OSError):  # wakes the accepting thread
                local.connect(self._path).close()
        if self._accepting is not None:
            self._accepting.join()
        if self._listener is not None:
            self._listener.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)
        with self._changed:
            if not self._changed.wait_for(lambda: not self._connections, self._limits.stop_seconds):
                for connection in self._connections.values():
                    with contextlib.suppress(OSError):
                        connection.shutdown(socket.SHUT_RDWR)
                self._changed.wait_for(lambda: not self._connections, self._limits.stop_seconds)

    def _accept(self) -> None:
        assert self._listener is not None
        while not self._stopping.is_set():
            try:
                connection, _peer = self._listener.accept()
            except TimeoutError:
                continue
            except OSError as error:
                self._on_fault(error)
                self._stopping.wait(_TICK)
                continue
            self._welcome(connection)

    def _welcome(self, connection: socket.socket) -> None:
        with self._changed:
            busy = self._places >= self._limits.requests
            self._places += not busy
        if busy:
            connection.settimeout(_TICK)
            _send(connection, Busy(N_("too many uploads at once"), hint=N_("try again soon")))
            connection.close()
        elif self._hand_over(connection, self._leave):
            connection.close()
        else:
            self.take(connection, self._leave)

    def take(self, connection: socket.socket, done: Done) -> None:
        """Serve a request that has its place already."""
        thread = threading.Thread(
            target=self._serve, args=(connection, done), name="intake-request", daemon=True
        )
        with self._changed:
            self._connections[thread] = connection
        try:
            thread.start()
        except RuntimeError as error:  # no thread to be had
            with self._changed:
                del self._connections[thread]
            done()
            connection.close()
            self._on_fault(error)

    def _leave(self) -> None:
        with self._changed:
            self._places -= 1

    def _serve(self, connection: socket.socket, done: Done) -> None:
        try:
            connection.settimeout(self._limits.idle_seconds)
            self._request(connection)
        except Exception as fault:  # noqa: BLE001 - the loop of an entry point
            self._on_fault(fault)
        finally:
            connection.close()
            done()
            with self._changed:
                del self._connections[threading.current_thread()]
                self._changed.notify_all()

    def _request(self, connection: socket.socket) -> None:
        arriving = Arriving(connection)
        with io.BufferedReader(arriving) as stream:
            incoming = Frames(
                stream,
                self._stopping.is_set,
                lambda: arriving.memory,
                lambda: connection.sendall(framing.FREE),
            )
            try:
                line = incoming.request_line()
                if not line:
                    return
                request = framing.parse_request(line)
            except SermentError as error:
                _answer(connection, error)
                return
            except (Cut, OSError):
                return
            limits = self._limits
            bounds = Bounds(limits.object_bytes, limits.parts, limits.flush_bytes)
            try:
                serve(self._receiver, request, incoming, bounds, connection.sendall)
            except FormatError as error:
                source = request.source
                address = source.peer.rpartition(":")[0]
                self._receiver.refused("", "", address, error.message, source.local, source.tls)
                _answer(connection, error)
            except SermentError as error:
                _answer(connection, error)
            except TimeoutError:
                _answer(connection, Unavailable(N_("the sender was too slow")))
            except (Cut, OSError):
                return  # the sender is gone: nobody to answer


def _send(connection: socket.socket, error: SermentError) -> None:
    with contextlib.suppress(OSError):
        connection.sendall(framing.encode_error(error))


def _answer(connection: socket.socket, error: SermentError) -> None:
    """Send why, then read over what still comes, so that the sender reads it before it fails."""
    scratch = bytearray(64 * 1024)
    _send(connection, error)
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(_LINGER_SECONDS)
        for _ in range(_LINGER_BYTES // len(scratch)):
            if not connection.recv_into(scratch):
                break
