"""The only place of an audit that opens a socket, and only to addresses of its scope.

Redirects, FTP's PASV, UPnP's LOCATION and FHIR's links all come back here, so none leads
elsewhere. Ports of printers are connected to, and nothing is ever written to them.
"""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Sequence
from typing import Final

from serment.adapters.network.line import Budget, Gone, Line, OutOfScope, Silent
from serment.adapters.network.scope import NEVER_SPOKEN_TO, Scope

UNDER_WAY: Final = frozenset(
    {errno.EINPROGRESS, errno.EWOULDBLOCK, getattr(errno, "WSAEWOULDBLOCK", errno.EINPROGRESS)}
)
_DATAGRAM: Final = 65535


class Dialer:
    """Calls addresses of one scope."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def line(self, address: str, port: int, budget: Budget) -> Line:
        """Connect, to speak.

        Raises:
            OutOfScope: another address than the order's, or a printer's port.
            Silent, Gone, Cut: nobody answers, the connection is refused, or no time is left.
        """
        if port in NEVER_SPOKEN_TO:
            raise OutOfScope
        called = self._in_scope(address, port)
        opened = socket.socket(_family(called), socket.SOCK_STREAM)
        try:
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            opened.settimeout(budget.wait())
            opened.connect(_place(called, port))
        except TimeoutError:
            opened.close()
            raise Silent from None
        except OSError:
            opened.close()
            raise Gone from None
        except BaseException:
            opened.close()
            raise
        return Line(opened, budget)

    def begin(self, address: str, port: int) -> tuple[socket.socket, int]:
        """Begin to connect without waiting: the socket, and connect_ex's error number."""
        called = self._in_scope(address, port)
        opened = socket.socket(_family(called), socket.SOCK_STREAM | _NONBLOCK)
        if not _NONBLOCK:
            opened.setblocking(False)
        return opened, opened.connect_ex(_place(called, port))

    def datagram(
        self,
        address: str,
        port: int,
        data: bytes,
        budget: Budget,
        answers: int = 1,
        more: Sequence[bytes] = (),
    ) -> list[bytes]:
        """Send one datagram, and perhaps more; what that address answers, at most so many.

        A connected UDP socket hears nobody else.
        """
        called = self._in_scope(address, port)
        heard: list[bytes] = []
        with (
            socket.socket(_family(called), socket.SOCK_DGRAM) as opened,
            contextlib.suppress(OSError),
        ):
            opened.connect(_place(called, port))
            for each in (data, *more):
                opened.send(each)
            while len(heard) < answers and budget.left > 0:
                opened.settimeout(budget.wait())
                heard.append(opened.recv(_DATAGRAM))
        budget.heard += sum(map(len, heard))
        return heard

    def _in_scope(self, address: str, port: int) -> str:
        called = self.scope.find(address)
        if called is None or not 0 < port < 65536:
            raise OutOfScope
        return called


_NONBLOCK: Final = getattr(socket, "SOCK_NONBLOCK", 0)


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _place(address: str, port: int) -> tuple[str, int] | tuple[str, int, int, int]:
    if ":" not in address:
        return address, port
    host, _, zone = address.partition("%")
    return host, port, 0, _zone(zone)


def _zone(name: str) -> int:
    """The number of a link-local address's interface; 0 when it has none."""
    if not name:
        return 0
    if name.isdigit():
        return int(name)
    try:
        return socket.if_nametoindex(name)
    except OSError:
        raise Gone from None
