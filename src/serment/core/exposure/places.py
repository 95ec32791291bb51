"""An address with a port, as people write it. Who listens or calls there is left to others."""

from __future__ import annotations

from serment.errors import N_, UsageError


def parse_place(text: str) -> tuple[str, int]:
    """Host and port of HOST:PORT or [IPv6]:PORT.

    Raises:
        UsageError: it is neither.

    >>> parse_place("[2001:db8::7]:7311")
    ('2001:db8::7', 7311)
    """
    host, _, port = text.strip().rpartition(":")
    is_number = port.isascii() and port.isdigit() and len(port) <= 5 and int(port) < 65536
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        host = ""
    if not host or not is_number:
        raise UsageError(
            N_("{place} is no address with a port"),
            hint=N_("write 203.0.113.7:7311, [2001:db8::7]:7311 or a name and its port"),
            place=text[:80],
        )
    return host, int(port)
