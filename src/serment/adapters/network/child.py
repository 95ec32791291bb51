"""The process that talks to the network, and ends: what it heard dies with it.

It reads one order from its input, takes from itself what it does not need (`confinement`), says that
it has begun and what it is going to ask (`telling`), writes progress and services as lines, and exits.
Where whoever started it dies, its input ends and so does it.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, Final

from serment.adapters import system
from serment.adapters.confinement import TALKING, confine, limit
from serment.adapters.network import neighbours, probes, ssdp
from serment.adapters.network.dialer import Dialer
from serment.adapters.network.line import Ended
from serment.adapters.network.lines import decode, encode
from serment.adapters.network.probes import igd
from serment.adapters.network.probing import HostProbe
from serment.adapters.network.scope import Scope
from serment.adapters.network.sweep import Found, find_open
from serment.adapters.network.talks import Conversation, Talks
from serment.adapters.network.telling import (
    LIMITS_ALONE,
    OVER_UDP,
    Asked,
    Begun,
    Near,
    Over,
    WhoIsNear,
    dues,
)
from serment.adapters.network.warming import warm_up
from serment.core.exposure.findings import Place
from serment.core.exposure.seen import Service
from serment.ports.network import Order, Progress

ORDER_LIMIT: Final = 16 << 20  # bytes: 65,536 addresses and as many ports
MEMORY_BYTES: Final = 1 << 30  # of addresses
_STACK_BYTES: Final = 8 << 20  # of a thread, hardly used; the user's own limit may be more than all
_CPU_SECONDS: Final = 120  # of processor time, and more for a larger order
_PLACES_A_SECOND: Final = 1000  # a tenth of what a slow machine tries
_HOST_SECONDS: Final = 5


def main() -> None:
    """Carry out the order on the input."""
    system.no_core_dumps()
    order = decode(sys.stdin.buffer.readline(), Order, limit=ORDER_LIMIT)
    asking, near, links = probes.load(), neighbours.local_networks(), neighbours.links()
    dialer = Dialer(Scope(order.addresses))
    warm_up()
    threading.stack_size(_STACK_BYTES)
    bound = limit if LIMITS_ALONE in sys.argv[1:] else confine
    held = bound(MEMORY_BYTES, cpu_seconds(order), TALKING)  # no thread may have begun
    answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen_to_parent, args=(answers,), daemon=True).start()
    _tell(Begun(tuple(held)))
    search = ssdp.Search(dialer, links)
    found = _found(order, dialer, answers, near)
    hosts = [address for address in order.addresses if address in found.there]
    _announce(hosts, found)
    talks = Talks(order, dialer, *asking)
    told: set[tuple[str, Place]] = set()
    done, total = 0, len(found.open)
    for each in chain(talks.run(hosts, found.open), _boxes(order, dialer, search, told)):
        fresh = [service for service in each.services if _key(service) not in told]
        told.update(map(_key, fresh))
        done += each.port != OVER_UDP
        _tell(*fresh, Asked(each.host, each.port, len(fresh), done, total))
    _tell(Over())
    os._exit(0)  # without waiting for a library's thread


def cpu_seconds(order: Order) -> int:
    """Processor time that carrying out an order may take: many times what it does."""
    places = len(order.only) or len(order.addresses) * len(order.ports)
    hosts = len({host for host, _ in order.only}) or len(order.addresses)
    return _CPU_SECONDS + _HOST_SECONDS * hosts + places // _PLACES_A_SECOND


def _found(
    order: Order, dialer: Dialer, answers: queue.SimpleQueue[bytes], near: Sequence[str]
) -> Found:
    """The port phase; a recheck of named places goes without."""
    if order.only:
        return Found(sorted(order.only), {host for host, _ in order.only})

    def known() -> frozenset[str]:
        _tell(WhoIsNear())
        return frozenset(decode(answers.get(), Near, limit=ORDER_LIMIT).addresses)

    return find_open(
        dialer,
        order.addresses,
        order.ports,
        known,
        lambda address: neighbours.on_link(address, near),
        lambda phase, done, total: _tell(Progress(phase, done, total)),
    )


def _announce(hosts: list[str], found: Found) -> None:
    """Who answered, and all that will be asked: those who are there, over UDP as well."""
    due: dict[str, list[int]] = {host: [] for host in hosts}
    for host, port in found.open:
        due[host].append(port)
    _tell(*found.answered())
    for host, ports in due.items():
        _tell(*dues(host, ports))
    _tell(Progress("services", 0, len(found.open)))


def _boxes(
    order: Order, dialer: Dialer, search: ssdp.Search, told: set[tuple[str, Place]]
) -> Iterator[Conversation]:
    """Who answered the search of a whole network, and was not already told as a gateway; in a recheck
    only those that it is about."""
    locations = search.locations()
    known = {place.host for protocol, place in told if protocol == "igd"}
    about = {host for host, _ in order.only} or locations.keys()
    new = (locations.keys() & about) - known
    late = [host for host in order.addresses if host in new]
    probe = HostProbe("igd", lambda call: igd.follow(call, locations[call.place.host]))
    yield from Talks(order, dialer, (), (probe,)).run(late, ())


def _key(service: Service) -> tuple[str, Place]:
    return service.protocol, service.place


def _tell(*values: Any) -> None:
    view = memoryview(b"".join(map(encode, values)))
    while view:
        view = view[os.write(1, view) :]


def _listen_to_parent(answers: queue.SimpleQueue[bytes]) -> None:
    for line in sys.stdin.buffer:
        answers.put(line)
    os._exit(1)


if __name__ == "__main__":
    try:
        main()
    except (Ended, OSError):
        os._exit(1)
