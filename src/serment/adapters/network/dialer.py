"""The only place of an audit that opens a socket to a service, and only at addresses of its scope.

Redirects, FTP's PASV, UPnP's LOCATION and FHIR's links all come back here, so none leads
elsewhere. A search to a network's group is heard by whoever is there, and answers of the scope count.
Ports of printers are tried, and nothing is ever written to them. Who is on an IPv6 wire is asked by
`nodes`, before there is a scope.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, TypeAlias

from serment.adapters.network.line import Budget, Cut, Gone, Line, OutOfScope, Silent
from serment.adapters.network.neighbours import Link
from serment.adapters.network.scope import NEVER_SPOKEN_TO, Scope, is_same_machine
from serment.core.exposure.scope import is_loopback

UNDER_WAY: Final = frozenset(
    {errno.EINPROGRESS, errno.EWOULDBLOCK, getattr(errno, "WSAEWOULDBLOCK", errno.EINPROGRESS)}
)
_DATAGRAM: Final = 65535
_KEPT: Final = 4096  # bytes of each, where many may come

_Place: TypeAlias = tuple[str, int] | tuple[str, int, int, int]  # as sockets have it


class Dialer:
    """Calls addresses of one scope."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self._cards = _cards()  # while the system may still be asked (`confinement`)

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
            opened.connect(self._place(called, port))
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
        """Begin to connect without waiting: the socket, and connect_ex's error number.

        Closing it takes the connection back at once (`_have_it_taken_back`).
        """
        called = self._in_scope(address, port)
        opened = socket.socket(_family(called), socket.SOCK_STREAM | _NONBLOCK)
        if not _NONBLOCK:
            opened.setblocking(False)
        _have_it_taken_back(opened)
        return opened, opened.connect_ex(self._place(called, port))

    def datagram(self, address: str, port: int, data: bytes, budget: Budget) -> list[bytes]:
        """Send one datagram; what that address and port answers, if it does.

        A connected UDP socket hears nobody else.
        """
        called = self._in_scope(address, port)
        heard: list[bytes] = []
        with (
            socket.socket(_family(called), socket.SOCK_DGRAM) as opened,
            contextlib.suppress(OSError),
        ):
            opened.connect(self._place(called, port))
            opened.send(data)
            opened.settimeout(budget.wait())
            heard.append(opened.recv(_DATAGRAM))
        budget.heard += sum(map(len, heard))
        return heard

    def answers(
        self, address: str, port: int, asked: Sequence[bytes], budget: Budget, most: int
    ) -> list[bytes]:
        """Send datagrams; what that address answers, from whichever of its ports, at most so many."""
        called = self._in_scope(address, port)
        with socket.socket(_family(called), socket.SOCK_DGRAM) as opened:
            _have_refusals_told(opened)
            place, its = self._place(called, port), partial(is_same_machine, called)
            heard = self._gathered(opened, place, asked, budget, most, its)
        budget.heard += sum(len(said) for _, said in heard)
        return [said for _, said in heard]

    def search(
        self,
        link: Link,
        group: str,
        port: int,
        asked: Sequence[bytes],
        budget: Budget,
        most: int,
    ) -> list[tuple[str, bytes]]:
        """Send datagrams to a group of one network at hand, past no router; who of the scope, or of this
        machine itself, answers, and what. This alone goes to an address that is not of the scope.

        Raises:
            OutOfScope: the scope has no address of that network.
        """
        if not self.scope.is_at(link.network, link.card):
            raise OutOfScope
        with (
            socket.socket(_family(link.own), socket.SOCK_DGRAM) as opened,
            contextlib.suppress(OSError),
        ):
            place = _aimed(opened, link, self._zone, group, port)
            return self._gathered(opened, place, asked, budget, most, self._listens_to)
        return []

    def _listens_to(self, sender: str) -> bool:
        return self.scope.find(sender) is not None or is_loopback(sender)

    def _in_scope(self, address: str, port: int) -> str:
        called = self.scope.find(address)
        if called is None or not 0 < port < 65536:
            raise OutOfScope
        return called

    def _place(self, address: str, port: int) -> _Place:
        if ":" not in address:
            return address, port
        host, _, zone = address.partition("%")
        return host, port, 0, self._zone(zone)

    def _zone(self, name: str) -> int:
        """The number of a link-local address's interface; 0 when it has none."""
        if not name or name.isdigit():
            return int(name or 0)
        if name not in self._cards:
            raise Gone
        return self._cards[name]

    def _written(self, sender: _Place) -> str:
        """The address that a datagram came from, a link-local one with its interface's name."""
        if len(sender) < 4 or not sender[3]:
            return sender[0]
        names = {number: name for name, number in self._cards.items()}
        return f"{sender[0].partition('%')[0]}%{names.get(sender[3], sender[3])}"

    def _gathered(
        self,
        opened: socket.socket,
        place: _Place,
        asked: Sequence[bytes],
        budget: Budget,
        most: int,
        is_heard: Callable[[str], bool],
    ) -> list[tuple[str, bytes]]:
        heard: list[tuple[str, bytes]] = []
        with contextlib.suppress(OSError, Cut):
            for each in asked:
                opened.sendto(each, place)
            while len(heard) < most:
                opened.settimeout(budget.wait())
                said, sender = opened.recvfrom(_DATAGRAM)
                if is_heard(address := self._written(sender)):
                    heard.append((address, said[:_KEPT]))
        return heard


def _cards() -> dict[str, int]:
    """The numbers of this machine's interfaces, by name."""
    with contextlib.suppress(OSError):
        return {name: number for number, name in socket.if_nameindex()}
    return {}


_NONBLOCK: Final = getattr(socket, "SOCK_NONBLOCK", 0)
_QUICK: Final = getattr(socket, "TCP_QUICKACK", 0)  # Linux alone
_AT_ONCE: Final = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)  # struct linger


def _have_it_taken_back(opened: socket.socket) -> None:
    """Have closing reset the connection. Where the system can wait with the last word of TCP's greeting
    (Linux, some 200 ms), the program at the other end is then never told of it: a small device keeps no
    place for a caller who only looks whether somebody is there, as pynetdicom does for 30 s."""
    with contextlib.suppress(OSError):  # a system that has not either of them
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        if _QUICK:
            opened.setsockopt(socket.IPPROTO_TCP, _QUICK, 0)


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _aimed(
    opened: socket.socket, link: Link, zone: Callable[[str], int], group: str, port: int
) -> _Place:
    """Have what goes to a group leave by this link, and end there; the group's place."""
    if ":" not in link.own:
        opened.bind((link.own, 0))
        opened.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(link.own))
        opened.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        return group, port
    card = zone(link.card)
    opened.bind((link.own, 0, 0, card))
    opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, card)
    opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 1)
    return group, port, 0, card


def _have_refusals_told(opened: socket.socket) -> None:
    """Have a closed port end the wait, as on a connected socket; elsewhere the time is waited for."""
    if sys.platform == "linux":
        family = opened.family == socket.AF_INET6
        level = socket.IPPROTO_IPV6 if family else socket.IPPROTO_IP
        opened.setsockopt(level, 25 if family else 11, 1)  # IPV6_RECVERR, IP_RECVERR of linux/in.h
