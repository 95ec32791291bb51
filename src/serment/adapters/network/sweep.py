"""The port phase: which ports of which addresses accept a connection. Writes no byte, and takes each
connection back before a program hears of it, where the system can (`Dialer.begin`).

One loop without threads keeps at most `WINDOW` connections under way and draws the next place
from an iterator, so that memory does not grow with the number of places. An address that does not
answer at all costs a bounded wait and is left out when the neighbour table does not know it.
"""

from __future__ import annotations

import errno
import selectors
import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import chain, groupby, islice
from operator import itemgetter
from typing import Final

from serment.adapters.network.dialer import UNDER_WAY, Dialer
from serment.adapters.network.line import Gone, OutOfScope
from serment.adapters.system import SystemClock
from serment.core.exposure.seen import Answered

WINDOW: Final = 400  # connections under way; systems allow 1,024 open files or more
HELLO_SECONDS: Final = 1.0  # for an address to show that it is there
PORT_SECONDS: Final = 0.6  # for one port of an address that is there
MANY_SECONDS: Final = 0.5  # the same, where more than `_MANY` ports of each are tried
_MANY: Final = 1024
_HELLO_PORTS: Final = (443, 80, 445, 104)  # asked first of every address, when they are ordered
_NO_ROOM: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_CHECKED_EVERY: Final = 256  # places begun between two looks at what is under way
_RANGES: Final = 4000  # of refused ports told of one host; a line holds that many
_FIRST: Final = itemgetter(0)
_TOLD_EVERY: Final = 1000  # places

Target = tuple[str, int]


class State(Enum):
    """What a port did."""

    OPEN = "open"
    CLOSED = "closed"  # refused: somebody is there
    SILENT = "silent"


@dataclass(slots=True)
class Found:
    """What the port phase found; addresses in the order they were given."""

    open: list[Target] = field(default_factory=list)
    there: set[str] = field(default_factory=set)  # answered, or known to the neighbour table
    ports: Sequence[int] = ()  # those tried, which `refused` has a bit each of
    refused: dict[str, bytearray] = field(default_factory=dict)  # by host that answered over TCP

    def answered(self) -> Iterator[Answered]:
        """Who answered over TCP, and what they refused, as ranges of the ports tried."""
        order = sorted(range(len(self.ports)), key=self.ports.__getitem__)
        for host, bits in self.refused.items():
            marks = [(bits[at >> 3] >> (at & 7) & 1, self.ports[at]) for at in order]
            runs = ([port for _, port in run] for yes, run in groupby(marks, _FIRST) if yes)
            yield Answered(host, tuple((run[0], run[-1]) for run in islice(runs, _RANGES)))


def find_open(
    dialer: Dialer,
    addresses: Sequence[str],
    ports: Sequence[int],
    known: Callable[[], frozenset[str]],
    absent: Callable[[str], bool],
    progress: Callable[[str, int, int], None],
) -> Found:
    """Find the open ports of some addresses.

    Args:
        known: the neighbour table, asked once every address has been called.
        absent: whether an address that is silent and not a neighbour is certainly not there: it is
            of a network that this machine is on.
        progress: told the phase ("hosts" or "ports"), what is done, and of how many.
    """
    found = Found(ports=ports)
    first = _first(ports)
    calls = _places(addresses, first)
    total = len(addresses) * len(first)
    _collect(dialer, calls, HELLO_SECONDS, found, lambda done: progress("hosts", done, total))
    found.there |= known().intersection(addresses)
    worth = [each for each in addresses if each in found.there or not absent(each)]
    rest = [port for port in ports if port not in first]
    calls, ports_total = _places(worth, rest), len(worth) * len(rest)
    seconds = PORT_SECONDS if len(rest) <= _MANY else MANY_SECONDS
    _collect(dialer, calls, seconds, found, lambda done: progress("ports", done, ports_total))
    return found


def sweep(
    dialer: Dialer, places: Iterable[Target], seconds: float
) -> Iterator[tuple[Target, State]]:
    """Try each place once, `seconds` at most; results in the order they arrive."""
    return _Loop(dialer, seconds).run(iter(places))


class _NoRoom(Exception):
    """The system has no file left for one more connection."""


class _Loop:
    def __init__(self, dialer: Dialer, seconds: float) -> None:
        self._dialer, self._seconds = dialer, seconds
        self._window = WINDOW
        self._now = SystemClock().monotonic
        self._selector = selectors.DefaultSelector()
        self._begun: dict[socket.socket, Target] = {}
        self._ends: deque[tuple[float, socket.socket]] = deque()  # in order: one time for all

    def run(self, places: Iterator[Target]) -> Iterator[tuple[Target, State]]:
        more = True
        try:
            while more or self._begun:
                for _ in range(_CHECKED_EVERY):
                    if len(self._begun) >= self._window:
                        break
                    place = next(places, None)
                    if place is None:
                        more = False
                        break
                    try:
                        state = self._begin(place)
                    except _NoRoom:
                        places = chain([place], places)
                        self._window = max(1, len(self._begun))
                        break
                    if state is not None:
                        yield place, state
                wait = 0.0 if more and len(self._begun) < self._window else None
                yield from self._answered(wait)
                yield from self._expired()
        finally:
            for each in self._begun:
                each.close()
            self._selector.close()

    def _begin(self, place: Target) -> State | None:
        """Its state when that is known at once, as it is on loopback."""
        try:
            opened, error = self._dialer.begin(*place)
        except (Gone, OutOfScope):
            return State.SILENT
        except OSError as failure:
            if failure.errno in _NO_ROOM and self._begun:
                raise _NoRoom from None
            return State.SILENT
        if error in UNDER_WAY:
            self._begun[opened] = place
            self._selector.register(opened, selectors.EVENT_WRITE)
            self._ends.append((self._now() + self._seconds, opened))
            return None
        opened.close()
        return _state(error)

    def _answered(self, wait: float | None) -> Iterator[tuple[Target, State]]:
        if not self._begun:
            return
        if wait is None:
            wait = max(0.0, self._ends[0][0] - self._now()) if self._ends else 0.0
        for key, _ in self._selector.select(wait):
            opened = key.fileobj
            assert isinstance(opened, socket.socket)
            error = opened.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            yield self._forget(opened), _state(error)

    def _expired(self) -> Iterator[tuple[Target, State]]:
        now = self._now()
        while self._ends and (self._ends[0][1] not in self._begun or self._ends[0][0] <= now):
            _, opened = self._ends.popleft()
            if opened in self._begun:
                yield self._forget(opened), State.SILENT

    def _forget(self, opened: socket.socket) -> Target:
        self._selector.unregister(opened)
        opened.close()
        return self._begun.pop(opened)


def _state(error: int) -> State:
    if not error:
        return State.OPEN
    return State.CLOSED if error == errno.ECONNREFUSED else State.SILENT


def _first(ports: Sequence[int]) -> tuple[int, ...]:
    usual = [port for port in _HELLO_PORTS if port in ports]
    return tuple(usual) or tuple(ports[: len(_HELLO_PORTS)])


def _places(addresses: Sequence[str], ports: Sequence[int]) -> Iterator[Target]:
    """Port by port over all addresses: no address is asked much at a time."""
    return ((address, port) for port in ports for address in addresses)


def _collect(
    dialer: Dialer,
    places: Iterator[Target],
    seconds: float,
    found: Found,
    tell: Callable[[int], None],
) -> None:
    done, at = 0, {port: number for number, port in enumerate(found.ports)}
    for done, (place, state) in enumerate(sweep(dialer, places, seconds), 1):
        if state is not State.SILENT:
            host, port = place
            found.there.add(host)
            refused = found.refused.setdefault(host, bytearray(len(at) // 8 + 1))
            if state is State.OPEN:
                found.open.append(place)
            else:
                refused[at[port] >> 3] |= 1 << (at[port] & 7)
        if not done % _TOLD_EVERY:
            tell(done)
    tell(done)
