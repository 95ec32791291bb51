"""Which addresses an audit may call: those of its order, and no other. Decides, opens nothing."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address
from typing import Final

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


def _canonical(text: str) -> str:
    address = ip_address(text)
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(address)
