"""A network that exists only as a list of services: what tests and demonstrations audit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from serment.core.exposure.seen import Answered, Missed, Service
from serment.errors import N_, NotFound
from serment.ports.network import Order, Progress


@dataclass
class MemoryNetwork:
    """The `Network` port. Every address answers, but those that are `off`, and refuses where nothing
    listens; `orders` remembers what was asked of it."""

    services: Sequence[Service] = ()
    known: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    off: frozenset[str] = frozenset()
    missed: Missed | None = None  # told at the end, as by a process that ended too early
    orders: list[Order] = field(default_factory=list)
    answering: tuple[str, ...] | None = ()  # over IPv6, to a call to all; None: nobody may call

    def neighbours(self) -> tuple[str, ...]:
        return self.known

    def nodes(self) -> tuple[str, ...] | None:
        return self.answering

    def local_networks(self) -> tuple[str, ...]:
        return self.networks

    def resolve(self, name: str) -> tuple[str, ...]:
        if name not in self.names:
            raise NotFound(
                N_("the name {name} has no address"),
                hint=N_("check it, or name the address"),
                name=name,
            )
        return self.names[name]

    def audit(
        self, order: Order, progress: Callable[[Progress], None] = lambda _: None
    ) -> Iterator[Service | Answered | Missed]:
        self.orders.append(order)
        scope, ports = frozenset(order.addresses), frozenset(order.ports)
        for host in order.addresses:
            if host not in self.off and not order.only:
                yield Answered(host, ((1, 65535),))
        found = [
            each
            for each in self.services
            if each.place.host in scope - self.off
            and each.place.port in ports
            and (not order.only or (each.place.host, each.place.port) in order.only)
        ]
        for number, service in enumerate(found, 1):
            yield service
            progress(Progress("services", number, len(found)))
        if self.missed is not None:
            yield self.missed
