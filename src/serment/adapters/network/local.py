"""`ports.network.Network` on this machine: starts the process that talks, believes only its form.

Nothing of what a peer said comes into this process but the counted facts of `core.exposure.seen`.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final

from serment.adapters.decoder.process import environment
from serment.adapters.network import neighbours
from serment.adapters.network.child import Over
from serment.adapters.network.lines import LINE_LIMIT, decode, encode
from serment.core.exposure.seen import Answered, Service
from serment.errors import N_, Unavailable
from serment.ports.network import Order, Progress

CHILD: Final = "serment.adapters.network.child"
_QUIET_SECONDS: Final = 90.0  # without a line: it hangs, whatever the reason


class LocalNetwork:
    """The network as this machine sees it."""

    def neighbours(self) -> tuple[str, ...]:
        """See `Network`."""
        return neighbours.neighbours()

    def local_networks(self) -> tuple[str, ...]:
        """See `Network`."""
        return neighbours.local_networks()

    def resolve(self, name: str) -> tuple[str, ...]:
        """See `Network`."""
        return neighbours.resolve(name)

    def audit(
        self, order: Order, progress: Callable[[Progress], None] = lambda _: None
    ) -> Iterator[Service | Answered]:
        """See `Network`. The process ends with the iterator.

        Raises:
            Unavailable: it did not start, or ended before everything was asked.
        """
        process = _start()
        try:
            assert process.stdin and process.stdout
            _give(process.stdin, order)
            yield from _heard(process, process.stdout, progress)
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


def _give(pipe: IO[bytes], order: Order) -> None:
    with contextlib.suppress(BrokenPipeError):
        pipe.write(encode(order))
        pipe.flush()


def _heard(
    process: subprocess.Popen[bytes], pipe: IO[bytes], progress: Callable[[Progress], None]
) -> Iterator[Service | Answered]:
    while True:
        with _watched(process):
            line = pipe.readline(LINE_LIMIT + 1)
        if not line:
            raise Unavailable(
                N_("the process that talks to the network ended too early"),
                hint=N_("run the scan again; `serment doctor` may say more"),
            )
        match decode(line, Service, Answered, Progress, Over):
            case Service() | Answered() as heard:
                yield heard
            case Progress() as reached:
                progress(reached)
            case Over():
                return


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
