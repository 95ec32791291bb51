"""The practice's own listener: open for one visit, it gives one fresh token to its helper, and to nobody else."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final

from serment.adapters.network.line import Ended
from serment.adapters.peer.limits import HELLO_SECONDS, PROOF_CALLERS, PROOF_SECONDS
from serment.adapters.peer.wire import hear, line_of, say
from serment.core.exposure.peer import visit
from serment.core.exposure.peer.frames import Kind
from serment.core.exposure.peer.pairing import Bond
from serment.core.exposure.peer.visit import Challenge
from serment.errors import N_, SermentError, Unavailable

_TICK: Final = 0.2


@contextlib.contextmanager
def listening(bond: Bond, to: Challenge, port: int) -> Iterator[None]:
    """Listen on this port of every address of the machine, for a block.

    Raises:
        Unavailable: the port cannot be used.
    """
    listener = _listener(ip_address(to.address).version, port)
    over = threading.Event()
    thread = threading.Thread(target=_serve, args=(listener, bond, to, port, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        listener.close()


def _serve(
    listener: socket.socket, bond: Bond, to: Challenge, port: int, over: threading.Event
) -> None:
    for _ in range(PROOF_CALLERS):
        caller = _next(listener, over)
        if caller is None or _gave(caller, bond, to, port):
            return


def _next(listener: socket.socket, over: threading.Event) -> socket.socket | None:
    while not over.is_set():
        with contextlib.suppress(TimeoutError, ConnectionError):
            return listener.accept()[0]
    return None


def _gave(caller: socket.socket, bond: Bond, to: Challenge, port: int) -> bool:
    """Whether that was the helper, and has its token."""
    with (
        contextlib.suppress(Ended, SermentError),
        line_of(caller, min(HELLO_SECONDS, PROOF_SECONDS)) as line,
    ):
        _, message = hear(line, Kind.PROVE)
        say(line, Kind.TOKEN, visit.token(bond, to, port, message))
        return True
    return False


def _listener(version: int, port: int) -> socket.socket:
    family, host = (socket.AF_INET6, "::") if version == 6 else (socket.AF_INET, "")
    try:
        made = socket.create_server((host, port), family=family, backlog=PROOF_CALLERS)
    except OSError as error:
        raise Unavailable(
            N_("port {port} of this machine cannot be used"),
            hint=N_(
                "another program has it, or it needs more rights: choose another, --prove PORT"
            ),
            port=port,
        ) from error
    made.settimeout(_TICK)
    return made
