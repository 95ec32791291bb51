"""What an audit needs of the network: addresses in scope, and services talked to.

The adapter opens every connection, and only to addresses that `Order.addresses` names; it answers
with facts free of patients (`core.exposure.seen`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from serment.core.exposure.seen import Answered, Missed, Service


@dataclass(frozen=True, slots=True)
class Order:
    """What may be asked of whom, decided before the first packet."""

    addresses: tuple[str, ...]  # the scope: IPv4 or IPv6, without names; nothing else is called
    ports: tuple[int, ...]
    fast: bool = False  # several connections at once to a medical device
    default_accounts: bool = False  # documented accounts, each once per service
    titles: tuple[str, ...] = ()  # usual AE titles, tried in this order
    host_seconds: float = 15.0  # after which one that keeps talking is cut
    silent_seconds: float = 3.0  # what a silent service costs at most
    names: tuple[tuple[str, str], ...] = ()  # addresses and the names they were given by
    only: frozenset[tuple[str, int]] = frozenset()  # these places alone (a recheck); empty = all


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is: `phase` is "hosts", "ports" or "services"."""

    phase: str
    done: int
    total: int


class Network(Protocol):
    """The network seen from this machine."""

    def neighbours(self) -> tuple[str, ...]:
        """Addresses of the neighbour table: whom this machine has lately talked to."""

    def nodes(self) -> tuple[str, ...] | None:
        """Who answers one call to everybody on this machine's own IPv6 networks, at an address of
        theirs; None when the system does not let us call."""

    def local_networks(self) -> tuple[str, ...]:
        """The private networks of this machine, as CIDR."""

    def resolve(self, name: str) -> tuple[str, ...]:
        """The addresses of a host name, asked once.

        Raises:
            NotFound: it has none.
        """

    def audit(
        self, order: Order, progress: Callable[[Progress], None] = lambda _: None
    ) -> Iterator[Service | Answered | Missed]:
        """Find listening ports and talk to each, in a child process that then exits.

        Yields services as they are understood, in no order, and before them who answered over TCP
        and which ports they refused (a recheck of `only` says that of nobody). Last, where not all was
        asked or understood, what was missed. Bounded in time, memory and connections whatever the
        other side does.

        Raises:
            Unavailable: it ended before anybody was talked to.
        """
