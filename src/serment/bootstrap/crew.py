"""The further processes that receive: the first one listens and counts, helpers serve what it
hands over, so that several associations use several cores.

Decides who serves a connection (whoever has the fewest), and that they live and die together: what
a process that fell had open is mended by the first one of the next crew, which has the vault to
itself. Helpers are forks of a process in which nothing is open and nothing runs yet. Leaves to
others: how many connections there may be, serving them.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from serment.adapters.system import die_with

PROCESSES_AT_MOST: Final = 4  # that receive: each has memory of its own
FALLEN: Final = 70  # exit code (EX_SOFTWARE) of who ends because another one fell

START: Final = b"s"  # the vault is mended
STOP: Final = b"x"
DICOM: Final = b"d"  # a connection, with its number
INTAKE: Final = b"i"
CONNECTIONS: Final = (DICOM, INTAKE)
_NUMBER: Final = 8  # bytes
_MESSAGE: Final = 1 + _NUMBER

Done = Callable[[], None]


def useful_helpers() -> int:
    """How many there should be beside the first process: as many as there are further cores."""
    if sys.platform != "linux":
        return 0
    return min(len(os.sched_getaffinity(0)), PROCESSES_AT_MOST) - 1


class Channel:
    """A helper's end: what it is told, and what it answers."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def next(self, seconds: float | None = None) -> tuple[bytes, socket.socket | None, Done] | None:
        """What the first process says: its kind, a connection, and what to call once that has
        ended; None after so many seconds. A connection that no file descriptor was free for was
        closed by the system on its way: it has ended, and there is none. Without the first
        process this one ends at once."""
        self._connection.settimeout(seconds)
        try:
            said, files, _, _ = socket.recv_fds(self._connection, _MESSAGE, 1)
        except TimeoutError:
            return None
        if not said:
            os._exit(FALLEN)
        kind, done = said[:1], partial(self._ended, said[1:])
        if files:
            return kind, socket.socket(fileno=files[0]), done
        if kind in CONNECTIONS:
            done()
        return kind, None, done

    def _ended(self, number: bytes) -> None:
        with contextlib.suppress(OSError):
            self._connection.send(number)


@dataclass(slots=True, eq=False)
class _Helper:
    pid: int
    channel: socket.socket
    under_way: dict[bytes, Done] = field(default_factory=dict)


class Crew:
    """The helpers, as the first process sees them."""

    def __init__(self, count: int, work: Callable[[Channel], None], fallen: Callable[[], None]):
        """
        Args:
            work: what a helper does, in its own process, until it is told to stop.
            fallen: called in a thread when a helper ended that was not told to.
        """
        self._fallen = fallen
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._stopping = False
        self._helpers: list[_Helper] = []
        for _ in range(count):
            self._helpers.append(self._fork(work))

    def start(self) -> None:
        """The vault is mended: they may open it."""
        for helper in self._helpers:
            helper.channel.send(START)
            threading.Thread(
                target=self._listen, args=(helper,), name="helper-watch", daemon=True
            ).start()

    def hand_over(self, kind: bytes, own: int, connection: socket.socket, done: Done) -> bool:
        """Let the least busy helper serve this connection if it has fewer than the `own` that are
        served here; whether it does. `done` is called once the connection has ended."""
        with self._lock:
            least = min(self._helpers, key=lambda each: len(each.under_way), default=None)
            if self._stopping or least is None or len(least.under_way) >= own:
                return False
            number = next(self._numbers).to_bytes(_NUMBER, "big")
            least.under_way[number] = done
        try:
            socket.send_fds(
                least.channel, [kind + number], [connection.fileno()], socket.MSG_DONTWAIT
            )
        except OSError:  # it is gone, or does not listen
            with self._lock:
                del least.under_way[number]
            return False
        return True

    def stop(self) -> None:
        """Hand nothing over any more, and tell them to stop."""
        with self._lock:
            self._stopping = True
        for helper in self._helpers:
            with contextlib.suppress(OSError):
                helper.channel.send(STOP)

    def wait(self) -> None:
        """Until all of them have ended."""
        for helper in self._helpers:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(helper.pid, 0)

    def _fork(self, work: Callable[[Channel], None]) -> _Helper:
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        parent = os.getpid()
        pid = os.fork()
        if pid:
            there.close()
            return _Helper(pid, here)
        code = FALLEN
        try:
            die_with(parent, signal.SIGKILL)
            here.close()
            for earlier in self._helpers:
                earlier.channel.close()
            work(Channel(there))
            code = 0
        finally:
            os._exit(code)

    def _listen(self, helper: _Helper) -> None:
        with contextlib.suppress(OSError):
            while number := helper.channel.recv(_NUMBER):
                with self._lock:
                    done = helper.under_way.pop(number, None)
                if done is not None:  # a number of his own making ends nothing here
                    done()
        if not self._stopping:
            self._fallen()
