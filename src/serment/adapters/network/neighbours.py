"""Which addresses are near: this machine's networks, its neighbour table, its IPv6 prefixes.

Reads what the system knows and asks nobody, except for a host name, which is looked up once and
then pinned. Each parser is a function over captured text, so that other systems' forms are tested
here. Which of these addresses may be called is decided elsewhere (`app.find`, `scope`).
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Final

import psutil

from serment.errors import N_, NotFound

_SECONDS: Final = 5.0  # for a system's command
_OUTPUT_LIMIT: Final = 4 << 20  # characters of a command's answer that are read
_NAMED_LIMIT: Final = 64  # addresses of one name
_ANSWERING: Final = frozenset({"REACHABLE", "STALE", "DELAY", "PROBE", "PERMANENT"})
_ARP_COMPLETE: Final = 0x2  # ATF_COM, linux/if_arp.h
_WINDOWS_ROW: Final = re.compile(
    r"^\s*([0-9a-fA-F:.]+(?:%\d+)?)\s+((?:[0-9a-f]{2}-){5}[0-9a-f]{2})\b", re.I
)
_BSD_ARP_ROW: Final = re.compile(r"\(([0-9.]+)\) at ((?:[0-9a-f]{1,2}:){5}[0-9a-f]{1,2}) ", re.I)
_BSD_NDP_ROW: Final = re.compile(
    r"^([0-9a-f:]+(?:%\w+)?)\s+((?:[0-9a-f]{1,2}:){5}[0-9a-f]{1,2})\s", re.I
)
_NOBODY: Final = frozenset({"ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"})

Interfaces = dict[str, list[tuple[str, str]]]  # name: (address, netmask)


@dataclass(frozen=True, slots=True)
class Link:
    """One end of a network at hand: this machine's own address there, the network as CIDR, and the
    interface's name."""

    own: str
    network: str
    card: str


def neighbours() -> tuple[str, ...]:
    """Addresses that this machine has lately talked to."""
    found = _table()
    own = {address for pairs in _interfaces().values() for address, _ in pairs}
    return tuple(sorted(set(found) - own, key=_order))


def local_networks() -> tuple[str, ...]:
    """The networks of this machine's own addresses, as CIDR; loopback and host routes are none."""
    return tuple(str(network) for network in networks_of(_interfaces()))


def links() -> tuple[Link, ...]:
    """This machine's end of each network it is on, loopback and link-local ones too."""
    return links_of(_interfaces())


def on_link(address: str, networks: Sequence[str]) -> bool:
    """Whether an address is of one of these networks: no router stands between."""
    asked = ip_address(address.partition("%")[0])
    return any(asked in ip_network(network) for network in networks)


def resolve(name: str) -> tuple[str, ...]:
    """The addresses of a host name, asked once: the caller pins them.

    Raises:
        NotFound: it has none.
    """
    try:
        answers = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        answers = []
    found = dict.fromkeys(str(place[0]) for *_, place in answers)
    if not found:
        raise NotFound(
            N_("no address is known for {name}"),
            hint=N_("give the address itself, or correct the name"),
            name=name[:100],
        )
    return tuple(found)[:_NAMED_LIMIT]


def networks_of(interfaces: Interfaces) -> tuple[IPv4Network | IPv6Network, ...]:
    """The networks of a machine's addresses, without loopback, link-local and host routes."""
    found: dict[IPv4Network | IPv6Network, None] = {}
    for pairs in interfaces.values():
        for address, netmask in pairs:
            network = _network(address, netmask)
            if network and not network.is_loopback and not network.is_link_local:
                found[network] = None
    return tuple(found)


def links_of(interfaces: Interfaces) -> tuple[Link, ...]:
    """One end of each network, at each interface; host routes lead to none."""
    found: dict[tuple[str, str], Link] = {}
    for card, pairs in interfaces.items():
        for address, netmask in pairs:
            if network := _network(address, netmask):
                own = address.partition("%")[0]
                found.setdefault((card, str(network)), Link(own, str(network), card))
    return tuple(found.values())


def parse_proc_arp(text: str) -> list[str]:
    """Complete entries of Linux's /proc/net/arp (proc(5))."""
    found = []
    for line in text.splitlines()[1:]:
        words = line.split()
        with contextlib.suppress(ValueError, IndexError):
            if int(words[2], 16) & _ARP_COMPLETE and words[3] not in _NOBODY:
                found.append(words[0])
    return _addresses(found)


def parse_ip_neigh(text: str) -> list[str]:
    """Entries that answer, of `ip -j neigh` (ip-neighbour(8)), IPv6 link-local ones with zone."""
    try:
        rows = json.loads(text or "[]")
    except (ValueError, RecursionError):
        return []
    found = []
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, dict) or not _ANSWERING.intersection(row.get("state") or ()):
            continue
        address = str(row.get("dst"))
        local = address.lower().startswith("fe80:")
        found.append(f"{address}%{row.get('dev')}" if local else address)
    return _addresses(found)


def parse_windows(text: str) -> list[str]:
    """Rows with a hardware address, of `arp -a` and `netsh interface ipv6 show neighbors`."""
    rows = (_WINDOWS_ROW.match(line) for line in text.splitlines())
    return _addresses(row[1] for row in rows if row and row[2].replace("-", ":") not in _NOBODY)


def parse_macos(text: str) -> list[str]:
    """Rows with a hardware address, of `arp -an` and `ndp -an`."""
    rows = (_BSD_ARP_ROW.search(line) or _BSD_NDP_ROW.match(line) for line in text.splitlines())
    return _addresses(row[1] for row in rows if row and row[2].lower() not in _NOBODY)


def _table() -> list[str]:
    platform: str = sys.platform
    if platform == "linux":
        arp = Path("/proc/net/arp")
        known = parse_proc_arp(arp.read_text("ascii", "replace")) if arp.exists() else []
        return [*known, *parse_ip_neigh(_output("ip", "-j", "neigh"))]
    if platform == "win32":
        shown = _output("netsh", "interface", "ipv6", "show", "neighbors")
        return [*parse_windows(_output("arp", "-a")), *parse_windows(shown)]
    return [*parse_macos(_output("arp", "-an")), *parse_macos(_output("ndp", "-an"))]


def _output(*command: str) -> str:
    """What a system's own command prints; nothing when it is not there or fails."""
    program = shutil.which(command[0], path=_folders())
    if program is None:
        return ""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(
            [program, *command[1:]],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
        return done.stdout[:_OUTPUT_LIMIT].decode("utf-8", "replace")
    return ""


def _folders() -> str:
    """Where the system keeps its own programs; a PATH that somebody prepared is not asked."""
    root = os.environ.get("SYSTEMROOT", "")
    return f"{root}\\System32" if root else "/usr/sbin:/usr/bin:/sbin:/bin"


def _interfaces() -> Interfaces:
    kinds = (socket.AF_INET, socket.AF_INET6)
    up = {name for name, state in psutil.net_if_stats().items() if state.isup}
    return {
        name: [(each.address, each.netmask or "") for each in pairs if each.family in kinds]
        for name, pairs in psutil.net_if_addrs().items()
        if name in up
    }


def _network(address: str, netmask: str) -> IPv4Network | IPv6Network | None:
    with contextlib.suppress(ValueError):
        own = ip_address(address.partition("%")[0])
        length = netmask if own.version == 4 else str(ip_address(netmask or "::").packed.hex())
        bits = length if own.version == 4 else str(bin(int(length, 16)).count("1"))
        network = ip_network(f"{own}/{bits}", strict=False)
        if 0 < network.prefixlen < network.max_prefixlen:
            return network
    return None


def _addresses(untrusted: Iterable[str]) -> list[str]:
    """Those that are addresses of one machine, once each."""
    found: dict[str, None] = {}
    for text in untrusted:
        with contextlib.suppress(ValueError):
            address = ip_address(text)
            if not (address.is_multicast or address.is_unspecified or address.is_loopback):
                found[str(address)] = None
    return list(found)


def _order(text: str) -> tuple[int, int]:
    address = ip_address(text)
    return address.version, int(ip_address(text.partition("%")[0]))
