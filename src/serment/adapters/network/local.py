"""`ports.network.Network` on this machine: starts the process that talks, believes only its form.

Nothing of what a peer said comes into this process but the counted facts of `core.exposure.seen`.
What becomes of its lines is `hearing`.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Final

from serment.adapters.confinement import environment
from serment.adapters.network import neighbours, nodes
from serment.adapters.network.hearing import Hearing
from serment.adapters.network.lines import encode
from serment.adapters.network.telling import Near
from serment.core.exposure.seen import Answered, Missed, Service
from serment.ports.network import Order, Progress

CHILD: Final = "serment.adapters.network.child"
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
        process = _start()
        try:
            given, told = process.stdin, process.stdout
            assert given and told
            _give(given, order)
            yield from Hearing(
                told,
                lambda: _watched(process),
                progress,
                lambda: _give(given, Near(self.neighbours())),
            ).run()
        finally:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):
                    if pipe:
                        pipe.close()


def _start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-s", "-P", "-B", "-W", "ignore", "-m", CHILD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # a traceback would show what a peer said
        env=environment(),
        cwd=Path(sys.executable).anchor,
        close_fds=True,
    )


def _give(pipe: IO[bytes], value: Any) -> None:
    with contextlib.suppress(BrokenPipeError):
        pipe.write(encode(value))
        pipe.flush()


@contextlib.contextmanager
def _watched(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Kill the child when the block lasts too long: its pipes then end."""
    timer = threading.Timer(_QUIET_SECONDS, process.kill)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
