"""Two machines on a wire of their own, and an audit from one of them: run inside `unshare -n`.

Prints as JSON what the audit of an almost empty network found, over IPv4 and IPv6, which addresses
were tried on more than the first ports, and what the neighbour table held afterwards.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from serment.adapters.network import neighbours
from serment.adapters.network.dialer import Dialer
from serment.adapters.network.local import LocalNetwork
from serment.adapters.network.scope import Scope
from serment.adapters.network.sweep import find_open
from serment.core.exposure.scope import plan
from serment.core.exposure.seen import Service
from serment.ports.network import Order

NETWORK, OTHER, OTHER6 = "10.77.0.0/24", "10.77.0.20", "fd77::20"
WEB = [sys.executable, "-m", "http.server", "--bind", "::", "8080"]


def ip(*words: str, inside: int = 0) -> str:
    before = ["nsenter", "-t", str(inside), "-n"] if inside else []
    done = subprocess.run([*before, "ip", *words], check=True, capture_output=True, text=True)
    return done.stdout


def link_local(inside: int) -> str:
    """The other machine's own address of the wire, with our end of it."""
    (card,) = json.loads(ip("-j", "-6", "address", "show", "dev", "far", inside=inside))
    found = next(each["local"] for each in card["addr_info"] if each["scope"] == "link")
    return f"{found}%near"


@contextmanager
def other_machine() -> Iterator[int]:
    """A second network namespace at the end of the wire, with a web server; who holds it."""
    ip("link", "set", "lo", "up")
    ip("link", "add", "near", "type", "veth", "peer", "name", "far")
    holder = subprocess.Popen(["unshare", "-n", "sleep", "600"])
    time.sleep(0.5)
    ip("link", "set", "far", "netns", str(holder.pid))
    ip("addr", "add", "10.77.0.1/24", "dev", "near")
    ip("addr", "add", "fd77::1/64", "dev", "near", "nodad")
    ip("link", "set", "near", "up")
    for words in (
        ("link", "set", "lo", "up"),
        ("addr", "add", f"{OTHER}/24", "dev", "far"),
        ("addr", "add", f"{OTHER6}/64", "dev", "far", "nodad"),
        ("link", "set", "far", "up"),
    ):
        ip(*words, inside=holder.pid)
    server = subprocess.Popen(
        ["nsenter", "-t", str(holder.pid), "-n", *WEB],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        time.sleep(2.0)
        yield holder.pid
    finally:
        server.kill()
        holder.kill()
        server.wait()
        holder.wait()


class Counting(Dialer):
    """Writes down which ports of an address were tried."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self.tried: dict[str, set[int]] = {}

    def begin(self, address: str, port: int):  # type: ignore[no-untyped-def]
        self.tried.setdefault(address, set()).add(port)
        return super().begin(address, port)


def services(heard: Iterable[object]) -> list[Service]:
    return [each for each in heard if isinstance(each, Service)]


def main() -> None:
    addresses = [f"10.77.0.{number}" for number in range(1, 255)]
    with other_machine() as holder:
        network = LocalNetwork()
        scope = plan([link_local(holder)], resolved={})
        beside = services(network.audit(Order(scope.addresses, (8080,))))
        found = services(network.audit(Order((*addresses, OTHER6), (80, 443, 8080, 8081))))
        dialer = Counting(Scope(addresses))
        near = neighbours.local_networks()
        find_open(
            dialer,
            addresses,
            (80, 443, 8080, 8081),
            lambda: frozenset(neighbours.neighbours()),
            lambda address: neighbours.on_link(address, near),
            lambda *_: None,
        )
        said = {
            "services": [(each.place.host, each.place.port, each.protocol) for each in found],
            "beside": [(each.place.host, each.place.port, each.protocol) for each in beside],
            "networks": near,
            "neighbours": neighbours.neighbours(),
            "tried": {address: sorted(ports) for address, ports in dialer.tried.items()},
        }
    print(json.dumps(said))


if __name__ == "__main__":
    main()
