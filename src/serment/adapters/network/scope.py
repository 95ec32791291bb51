"""Which addresses an audit may call: those of its order, and no other. Decides, opens nothing."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from serment.core.exposure.scope import is_loopback

# JetDirect and LPD print whatever they are sent: these ports are connected to, never written to.
NEVER_SPOKEN_TO: Final = frozenset({515, *range(9100, 9108)})


class Scope:
    """The addresses of one order, compared as numbers and not as text."""

    def __init__(self, addresses: Iterable[str]) -> None:
        """Raises ValueError for what is not an address."""
        self._known = {text: text for text in map(_canonical, addresses)}

    def find(self, untrusted: str) -> str | None:
        """The address as it is called, or None outside the scope; names are never in scope.

        >>> Scope(["192.168.1.9"]).find("::ffff:192.168.1.9")
        '192.168.1.9'
        >>> Scope(["192.168.1.9"]).find("192.168.1.10") is None
        True
        """
        if untrusted in self._known:
            return untrusted
        try:
            return self._known.get(_canonical(untrusted.strip("[]")))
        except ValueError:
            return None

    def is_at(self, network: str, card: str) -> bool:
        """Whether it has an address of a network (CIDR) at one of this machine's interfaces.

        >>> Scope(["192.168.1.9"]).is_at("192.168.1.0/24", "eth0")
        True
        >>> Scope(["fe80::1%eth1"]).is_at("fe80::/64", "eth0")
        False
        """
        wanted = ip_network(network)
        for text in self._known:
            found = ip_address(text)
            zone = found.scope_id if isinstance(found, IPv6Address) else None
            if found in wanted and zone in (None, card):
                return True
        return False


def is_same_machine(one: str, other: str) -> bool:
    """Whether two addresses are certainly of one machine: the same, or both of loopback, where an
    answer may leave from another address than the one that was asked.

    >>> is_same_machine("127.0.1.5", "127.0.0.1"), is_same_machine("10.0.0.1", "10.0.0.2")
    (True, False)
    """
    if is_loopback(one) and is_loopback(other):
        return True
    return Scope((one,)).find(other) is not None


def _canonical(text: str) -> str:
    address = ip_address(text)
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(address)
