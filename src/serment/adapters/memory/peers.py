"""Helpers outside that exist only as what they saw: what tests ask."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from serment.core.exposure.outside import Looked, Sight
from serment.core.exposure.peer.rules import is_shared
from serment.core.exposure.scope import Proof
from serment.errors import N_, AccessDenied, Conflict, NotFound, SermentError
from serment.ports.peer import Paired

_PAIRED = datetime(2026, 1, 5, 8, tzinfo=UTC)


@dataclass
class MemoryPeers:
    """The `Peers` port. Every helper sees this practice at `address`, with these ports open; `failing`
    is what a look ends in. `orders` remembers what was asked."""

    address: str = "203.0.113.7"
    open_ports: frozenset[int] = frozenset()
    code: str = ""
    failing: SermentError | None = None
    orders: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)
    _known: dict[str, Paired] = field(default_factory=dict)

    def known(self) -> tuple[Paired, ...]:
        return tuple(self._known[name] for name in sorted(self._known))

    def pair(self, name: str, place: str, code: str) -> Paired:
        if name in self._known:
            raise Conflict(N_("there is a pairing named {name} already"), name=name)
        if code != self.code:
            raise AccessDenied(N_("the pairing code was refused"))
        self._known[name] = Paired(name, place, _PAIRED)
        return self._known[name]

    def forget(self, name: str) -> None:
        self._named(name)
        del self._known[name]

    def look(self, name: str, ports: Sequence[int], boxes: Collection[str]) -> Looked:
        self._named(name)
        if self.failing:
            raise self.failing
        if is_shared(self.address, boxes):
            return Looked(name, self.address, shared=True)
        self.orders.append((name, tuple(ports)))
        sights = (Sight(self.address, port, port in self.open_ports) for port in ports)
        return Looked(name, self.address, sights=tuple(sights))

    def prove(self, name: str, address: str, port: int) -> Proof:
        self._named(name)
        if address != self.address:
            raise AccessDenied(
                N_("the helper sees this machine at {seen}, not at {address}"),
                seen=self.address,
                address=address,
            )
        return Proof(address, port, name, _PAIRED)

    def _named(self, name: str) -> None:
        if name not in self._known:
            raise NotFound(N_("there is no helper named {name}"), name=name)
