"""`ports.network.Network` on this machine: starts the process that talks, believes only its form.

One that ends before it begins is started once more; where that ends as well (its system's libraries need a
call that the filter does not know), with limits alone, before it has heard anybody: `lacking` tells of it.
Nothing of what a peer said comes into this process but the counted facts of `core.exposure.seen`. What
becomes of its lines is `hearing`.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from serment.adapters.confinement import environment
from serment.adapters.network import neighbours, nodes
from serment.adapters.network.hearing import Hearing, too_early
from serment.adapters.network.lines import LINE_LIMIT, decode, encode
from serment.adapters.network.telling import LIMITS_ALONE, Begun, Near
from serment.core.exposure.seen import Answered, Missed, Service
from serment.errors import FormatError, Unavailable
from serment.ports.network import Order, Progress

CHILD: Final = "serment.adapters.network.child"
WANTED: Final = ("memory", "processor", "no core dump", "no file size", "system calls")
_QUIET_SECONDS: Final = 90.0  # without a line: it hangs, whatever the reason


class LocalNetwork:
    """The network as this machine sees it."""

    def neighbours(self) -> tuple[str, ...]:
        """See `Network`."""
        return neighbours.neighbours()

    def nodes(self) -> tuple[str, ...] | None:
        """See `Network`."""
        return nodes.answering(neighbours.links())

    def local_networks(self) -> tuple[str, ...]:
        """See `Network`."""
        return neighbours.local_networks()

    def resolve(self, name: str) -> tuple[str, ...]:
        """See `Network`."""
        return neighbours.resolve(name)

    def audit(
        self, order: Order, progress: Callable[[Progress], None] = lambda _: None
    ) -> Iterator[Service | Answered | Missed]:
        """See `Network`. The process ends with the iterator.

        Raises:
            Unavailable: it did not start, or ended before it talked to anybody.
        """
        with _talker(order) as (talker, _):
            yield from Hearing(
                talker.told,
                talker.watched,
                progress,
                lambda: talker.give(Near(self.neighbours())),
            ).run()


def lacking() -> list[str]:
    """What the process that talks is not denied here, by the name of the confinement; all when it does
    not begin. It talks to nobody."""
    held: tuple[str, ...] = ()
    with contextlib.suppress(OSError, Unavailable), _talker(Order((), ())) as (_, begun):
        held = begun.held
    return [name for name in WANTED if name not in held]


@contextlib.contextmanager
def _talker(order: Order) -> Iterator[tuple[_Talker, Begun]]:
    """One that has its order and has begun; it ends with the block. Raises `Unavailable`."""
    for more in ((), (), (LIMITS_ALONE,)):
        with contextlib.closing(_Talker(more)) as talker:
            talker.give(order)
            if begun := talker.begun():
                yield talker, begun
                return
    raise too_early()


class _Talker:
    """One process and its pipes."""

    def __init__(self, more: Sequence[str]) -> None:
        self._process = _start(more)
        assert self._process.stdin and self._process.stdout
        self._given, self.told = self._process.stdin, self._process.stdout

    def give(self, value: Any) -> None:
        with self.watched(), contextlib.suppress(OSError):
            self._given.write(encode(value))
            self._given.flush()

    def begun(self) -> Begun | None:
        """Its first line; None where it is no such one."""
        with self.watched(), contextlib.suppress(FormatError):
            return decode(self.told.readline(LINE_LIMIT), Begun)
        return None

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Kill it when the block lasts too long: its pipes then end."""
        timer = threading.Timer(_QUIET_SECONDS, self._process.kill)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._given, self.told):
            with contextlib.suppress(OSError):
                pipe.close()


def _start(more: Sequence[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-s", "-P", "-B", "-W", "ignore", "-m", CHILD, *more],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # a traceback would show what a peer said
        env=environment(),
        cwd=Path(sys.executable).anchor,
        close_fds=True,
    )
