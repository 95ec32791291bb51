"""Where the server listens: HOST:PORT as people write it, and whether others can reach it."""

from __future__ import annotations

import ipaddress
from typing import NamedTuple

from serment.errors import N_, UsageError


class Address(NamedTuple):
    """A host (name or IP address, without brackets) and a TCP port; 0 = any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def parse_address(text: str) -> Address:
    """HOST:PORT, with an IPv6 host in brackets; `UsageError` for anything else.

    >>> str(parse_address("[::1]:8443"))
    '[::1]:8443'
    """
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise UsageError(
            N_("{text} is not HOST:PORT"), hint=N_("for example 127.0.0.1:8443"), text=text
        )
    return Address(host or "127.0.0.1", int(port))
