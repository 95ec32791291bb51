"""Unix sockets at any path, for their owner only.

A socket's address holds about 100 bytes; longer paths are reached through the descriptor of their
folder where the system can (Linux). Leaves to others: what is said on the socket.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from serment.errors import N_, Unavailable

_LONGEST: Final = 100  # bytes; sun_path has 104 to 108
_BACKLOG: Final = 128
MODE: Final = 0o600


def listen(path: Path) -> socket.socket:
    """A listening socket at `path`, mode 0600; one left by a process that died is replaced.

    Raises:
        Unavailable: somebody listens there already, or the path cannot be used.
    """
    listener = _socket()
    try:
        _clear(path)
        with _reachable(path) as address:
            # On Linux the file gets the mode of the socket: it is never open to others.
            os.fchmod(listener.fileno(), MODE)
            listener.bind(address)
        path.chmod(MODE)
        listener.listen(_BACKLOG)
    except (OSError, Unavailable) as error:
        listener.close()
        if isinstance(error, Unavailable):
            raise
        raise _unusable(path) from error
    return listener


def connect(path: Path) -> socket.socket:
    """A connected blocking socket.

    Raises:
        ConnectionError, FileNotFoundError: nobody listens there.
        Unavailable: the path cannot be used.
    """
    client = _socket()
    try:
        with _reachable(path) as address:
            client.connect(address)
    except BaseException:
        client.close()
        raise
    return client


def _socket() -> socket.socket:
    if not hasattr(socket, "AF_UNIX"):
        raise Unavailable(N_("this system has no local sockets"))
    return socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)


def _clear(path: Path) -> None:
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise _unusable(path)
    except FileNotFoundError:
        return
    with contextlib.suppress(OSError):
        connect(path).close()
        raise Unavailable(
            N_("another receiver listens on {path} already"),
            hint=N_("stop it first, or use the one that runs"),
            path=path,
        )
    path.unlink(missing_ok=True)


@contextlib.contextmanager
def _reachable(path: Path) -> Iterator[str]:
    text = os.fspath(path.absolute())
    if len(os.fsencode(text)) <= _LONGEST:
        yield text
    elif sys.platform == "linux":
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield f"/proc/self/fd/{folder}/{path.name}"
        finally:
            os.close(folder)
    else:
        raise _unusable(path)


def _unusable(path: Path) -> Unavailable:
    return Unavailable(
        N_("cannot make a local socket at {path}"),
        hint=N_("choose a vault folder with a shorter path, on a local disk"),
        path=path,
    )
