"""Who is at the wire over IPv6, where a network is too large to be swept: whoever answers an echo request
to all nodes of it.

The request goes to ff02::1 from this machine's own address of each of its prefixes, so that the answers
come from addresses of that prefix; past no router. Which of them is called is decided elsewhere
(`app.find`). Source: RFC 4443 sections 4.1 and 4.2, RFC 4291 section 2.7.1.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from typing import Final

from serment.adapters.network.neighbours import Link, on_link
from serment.adapters.system import SystemClock

MOST: Final = 254  # of one network: who would invent more is not believed
_ALL: Final = "ff02::1"
_SECONDS: Final = 0.6  # for the answers to one request
_TIMES: Final = 2  # a datagram may be lost
_REQUEST, _REPLY = 128, 129
_WORDS: Final = b"SERMENT-AUDIT"
_LIMIT: Final = 512
# The second needs more rights; the first those of `ping_group_range` on Linux.
_KINDS: Final = (socket.SOCK_DGRAM, socket.SOCK_RAW)


def answering(links: Sequence[Link]) -> tuple[str, ...] | None:
    """Addresses that answer on those IPv6 networks at hand that have a prefix of their own; None when
    this system does not let this account ask on one of them."""
    found: dict[str, None] = {}
    for link in links:
        network = ip_network(link.network)
        if network.version == 6 and not (network.is_loopback or network.is_link_local):
            asking = _opened(link)
            if asking is None:
                return None
            with asking:
                found |= dict.fromkeys(_answers(asking, link))
    return tuple(sorted(found, key=lambda each: int(ip_address(each))))


def request() -> bytes:
    """An echo request that says who asks; the system fills in the checksum."""
    return struct.pack(">BBHHH", _REQUEST, 0, 0, 0x5345, 1) + _WORDS


def is_reply(untrusted: bytes) -> bool:
    """Whether a message answers our request."""
    return untrusted[:2] == bytes([_REPLY, 0]) and untrusted[8:] == _WORDS


def _opened(link: Link) -> socket.socket | None:
    for kind in _KINDS:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            asking = stack.enter_context(
                socket.socket(socket.AF_INET6, kind, socket.IPPROTO_ICMPV6)
            )
            card = socket.if_nametoindex(link.card)
            asking.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, card)
            asking.bind((link.own, 0))
            asking.sendto(request(), (_ALL, 0, 0, card))
            stack.pop_all()
            return asking
    return None


def _answers(asking: socket.socket, link: Link) -> list[str]:
    """Who answered: the first request has gone out already."""
    found: dict[str, None] = {}
    now, card = SystemClock().monotonic, socket.if_nametoindex(link.card)
    for turn in range(_TIMES):
        with contextlib.suppress(OSError):
            if turn:
                asking.sendto(request(), (_ALL, 0, 0, card))
            ends = now() + _SECONDS
            while (left := ends - now()) > 0 and len(found) < MOST:
                asking.settimeout(left)
                said, sender = asking.recvfrom(_LIMIT)
                address = str(sender[0])
                if is_reply(said) and address != link.own and on_link(address, (link.network,)):
                    found[address] = None
    return list(found)
