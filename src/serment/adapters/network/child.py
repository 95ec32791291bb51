"""The process that talks to the network, and ends: what it heard dies with it.

It reads one order from its input, writes progress and services as lines, and exits. No core dump,
no other file; where whoever started it dies, its input ends and so does it.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from serment.adapters import system
from serment.adapters.network import neighbours, probes
from serment.adapters.network.dialer import Dialer
from serment.adapters.network.line import Ended
from serment.adapters.network.lines import decode, encode
from serment.adapters.network.scope import Scope
from serment.adapters.network.sweep import Found, find_open
from serment.adapters.network.talks import Talks
from serment.ports.network import Order, Progress

ORDER_LIMIT: Final = 16 << 20  # bytes: 65,536 addresses and as many ports


@dataclass(frozen=True, slots=True)
class Over:
    """The last line: everything was asked."""

    services: int


def main() -> None:
    """Carry out the order on the input."""
    system.no_core_dumps()
    order = decode(sys.stdin.buffer.readline(), Order, limit=ORDER_LIMIT)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    dialer = Dialer(Scope(order.addresses))
    found = _found(order, dialer)
    for each in found.answered():
        _tell(each)
    talks = Talks(order, dialer, *probes.load())
    told, total = set(), len(found.open)
    for done, services in enumerate(talks.run(_hosts(order, found), found.open), 1):
        for service in services:
            if (key := (service.place, service.protocol)) not in told:
                told.add(key)
                _tell(service)
        _tell(Progress("services", min(done, total), total))
    _tell(Over(len(told)))
    os._exit(0)  # without waiting for a library's thread


def _found(order: Order, dialer: Dialer) -> Found:
    """The port phase; a recheck of named places goes without."""
    if order.only:
        return Found(sorted(order.only), {host for host, _ in order.only})
    near = neighbours.local_networks()
    return find_open(
        dialer,
        order.addresses,
        order.ports,
        lambda: frozenset(neighbours.neighbours()),
        lambda address: neighbours.on_link(address, near),
        lambda phase, done, total: _tell(Progress(phase, done, total)),
    )


def _hosts(order: Order, found: Found) -> Iterable[str]:
    """Whoever is there, in the order given: asked over UDP as well."""
    return [address for address in order.addresses if address in found.there]


def _tell(value: Any) -> None:
    view = memoryview(encode(value))
    while view:
        view = view[os.write(1, view) :]


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    try:
        main()
    except (Ended, OSError):
        os._exit(1)
