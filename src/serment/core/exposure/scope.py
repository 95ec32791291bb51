"""Which addresses and ports an audit may touch: targets read, rules applied, before any packet.

Private, loopback and link-local ranges are the practice's own, as are IPv6 addresses of a prefix on
the machine's own links. Any other public address is refused unless its control was proved: the tool's
own listener there gave a fresh token to a helper outside. Who resolves names, asks the person and has
control proved is left to the caller.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
    summarize_address_range,
)
from typing import Final, TypeAlias

from serment.errors import N_, AccessDenied, UsageError

Network: TypeAlias = IPv4Network | IPv6Network
Address: TypeAlias = IPv4Address | IPv6Address

ASK_ABOVE: Final = 1024  # addresses: more are asked about every time
MOST: Final = 65_536  # addresses of one audit
MOST_UNPROVED: Final = 2  # public addresses proved for one audit: a helper sees one of each family
_OWN: Final = tuple(
    ip_network(text)
    for text in (
        "10.0.0.0/8",  # RFC 1918
        "172.16.0.0/12",
        "192.168.0.0/16",
        "127.0.0.0/8",  # RFC 1122
        "169.254.0.0/16",  # RFC 3927
        "::1/128",
        "fe80::/10",  # RFC 4291
        "fc00::/7",  # RFC 4193
    )
)
_NAME: Final = re.compile(
    r"(?=.{1,253}$)(?=.*[A-Za-z])[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*\.?"
)
_SHORT_RANGE: Final = re.compile(r"(\d+\.\d+\.\d+)\.(\d+)-(\d+)")


@dataclass(frozen=True, slots=True)
class Proof:
    """That a public address is the practice's: its own listener there gave a token to a helper."""

    address: str
    port: int
    by: str  # the helper's name
    at: datetime  # aware UTC


def is_swept(addresses: Collection[str], networks: Iterable[str]) -> bool:
    """Whether every address of the practice's own IPv4 networks is among these, and there is such a
    network: what answers there from outside is then a machine that was looked at, or off."""
    given = frozenset(addresses)
    parsed = (ip_network(each, strict=False) for each in networks)
    own = [each for each in parsed if each.version == 4 and is_own(each) and not each.is_link_local]
    return bool(own) and all(
        each.num_addresses <= len(given) + 2 and given.issuperset(map(str, each.hosts()))
        for each in own
    )


@dataclass(frozen=True, slots=True)
class Scope:
    """What may be touched: `addresses` in the order given, without repeats."""

    addresses: tuple[str, ...]
    proved: tuple[str, ...] = ()  # public ones among them whose control was proved
    unproved: tuple[str, ...] = ()  # public ones that must be proved before anything is sent

    @property
    def is_large(self) -> bool:
        """Whether the person is asked about the size."""
        return len(self.addresses) > ASK_ABOVE

    @property
    def is_local(self) -> bool:
        """Whether nothing beyond this machine is touched: nobody needs to authorise that."""
        return all(is_loopback(each) for each in self.addresses)


def split(texts: Iterable[str]) -> list[str]:
    """Targets of arguments or of a file's lines: commas and spaces part, # begins a comment."""
    lines = (line.partition("#")[0] for text in texts for line in text.splitlines())
    return [each for line in lines for each in line.replace(",", " ").split()]


def names_in(targets: Iterable[str]) -> list[str]:
    """The host names among targets, which somebody must resolve.

    Raises:
        UsageError: a target is neither an address, a range nor a name.
    """
    return [each for each in dict.fromkeys(targets) if parse_target(each) is None]


def parse_target(text: str) -> tuple[Network, ...] | None:
    """The networks of one target; None for a host name. Ranges: CIDR, A-B, 192.168.1.10-20.

    Raises:
        UsageError: it is none of these.
    """
    try:
        if short := _SHORT_RANGE.fullmatch(text):
            return _span(f"{short[1]}.{short[2]}", f"{short[1]}.{short[3]}")
        first, dash, last = text.partition("-")
        if dash and _is_address(first) and _is_address(last):
            return _span(first, last)
        return (ip_network(text.partition("%")[0], strict=False),)
    except (ValueError, TypeError) as error:
        if _NAME.fullmatch(text):
            return None
        raise UsageError(
            N_("{target} is no address, range or host name"),
            hint=N_("write 192.168.1.20, 192.168.1.0/24, 192.168.1.10-20 or a name"),
            target=text[:80],
        ) from error


def plan(
    targets: Sequence[str],
    *,
    resolved: Mapping[str, Sequence[str]],
    on_link: Collection[str] = (),
    excluded: Sequence[str] = (),
    proved: Collection[str] = (),
    provable: bool = False,
) -> Scope:
    """The scope of an audit.

    Args:
        targets: addresses, ranges, names.
        resolved: the addresses of every name in `targets` and `excluded`, asked once.
        on_link: the networks of this machine's links, as CIDR.
        excluded: what is left out, in the same words.
        proved: public addresses whose control was proved.
        provable: somebody can prove others, up to `MOST_UNPROVED`, before anything is sent.

    Raises:
        UsageError: nothing is left, or far too much.
        AccessDenied: a public address whose control was not proved.
    """
    left_out = [network for text in excluded for _, network in _asked(text, resolved)]
    wanted = [(text, *each) for text in targets for each in _asked(text, resolved)]
    _check_size(network for *_, network in wanted)
    links = [ip_network(each, strict=False) for each in on_link]
    known = {ip_address(each) for each in proved}
    found: dict[Address, None] = {}
    strange: dict[Address, None] = {}
    for text, zone, network in wanted:
        own = is_own(network, links)
        for each in _hosts(network) if "/" in text else network:
            if _within(each, left_out):
                continue
            address = _on_its_link(each, zone)
            if not own and address not in known:
                strange[address] = None
                if not provable or len(strange) > MOST_UNPROVED:
                    raise not_yours(str(address))
            found[address] = None
    if not found:
        raise UsageError(
            N_("no address is left to look at"), hint=N_("check the targets and --exclude")
        )
    return Scope(
        tuple(str(each) for each in found),
        tuple(str(each) for each in found if each in known),
        tuple(str(each) for each in strange),
    )


def is_own(network: Network, on_link: Iterable[Network] = ()) -> bool:
    """Whether every address of it is the practice's own."""
    return any(_covers(own, network) for own in _OWN) or any(
        _covers(link, network) for link in on_link if link.version == 6
    )


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's; False for what is none."""
    try:
        return ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _span(first: str, last: str) -> tuple[Network, ...]:
    return tuple(summarize_address_range(ip_address(first), ip_address(last)))


def _asked(text: str, resolved: Mapping[str, Sequence[str]]) -> list[tuple[str, Network]]:
    """The networks of one target, each with the link (zone) it is on, "" where none is named."""
    parsed = parse_target(text)
    if parsed is not None:
        return [(text.partition("%")[2], each) for each in parsed]
    places = [each.partition("%") for each in resolved.get(text, ())]
    return [(zone, ip_network(address)) for address, _, zone in places]


def _on_its_link(address: Address, zone: str) -> Address:
    """A link-local address of IPv6 means something on one link only (RFC 4007)."""
    if address.version == 6 and address.is_link_local:
        if zone:
            return ip_address(f"{address}%{zone}")
        raise UsageError(
            N_("{address} is an address of one link only, and which is not said"),
            hint=N_("name the network card as well: {address}%eth0"),
            address=str(address),
        )
    if zone:
        raise UsageError(
            N_("only addresses in fe80::/10 have a link, written after %"),
            hint=N_("write {address} alone"),
            address=str(address),
        )
    return address


def _check_size(networks: Iterable[Network]) -> None:
    count = sum(network.num_addresses for network in networks)
    if count > MOST:
        raise UsageError(
            N_("{count} addresses are too many for one audit (at most {most})"),
            hint=N_("name smaller ranges; of IPv6, name the addresses"),
            count=count,
            most=MOST,
        )


def _hosts(network: Network) -> Iterable[Address]:
    """The addresses of machines: without the network's own and its broadcast address."""
    return network.hosts() if network.version == 4 and network.prefixlen < 31 else network


def _within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address.version == each.version and address in each for each in networks)


def _covers(outer: Network, inner: Network) -> bool:
    return (
        outer.version == inner.version
        and outer.network_address <= inner.network_address  # type: ignore[operator]
        and inner.broadcast_address <= outer.broadcast_address  # type: ignore[operator]
    )


def not_yours(address: str) -> AccessDenied:
    """What a public address without proof is answered with."""
    return AccessDenied(
        N_("{address} is a public address, and that it is yours is not proved"),
        hint=N_(
            "prove it with a helper outside (--peer NAME), or audit the practice's own network"
        ),
        address=address,
    )
