"""Neighbour tables of three systems, from captured text, and the networks of an interface.

Linux: recorded on Debian 12. Windows and macOS: written after the documented form of `arp`,
`netsh interface ipv6 show neighbors` and `ndp`, not recorded on such a machine.
"""

from __future__ import annotations

import pytest

from serment.adapters.network import neighbours
from serment.adapters.network.neighbours import (
    Link,
    links_of,
    networks_of,
    on_link,
    parse_ip_neigh,
    parse_macos,
    parse_proc_arp,
    parse_windows,
)
from serment.errors import NotFound

PROC_ARP = """\
IP address       HW type     Flags       HW address            Mask     Device
192.168.1.1      0x1         0x2         02:fc:00:00:00:05     *        eth0
192.168.1.77     0x1         0x0         00:00:00:00:00:00     *        eth0
"""
IP_NEIGH = (
    '[{"dst":"192.168.1.1","dev":"eth0","lladdr":"02:fc:00:00:00:05","state":["REACHABLE"]},'
    '{"dst":"192.168.1.2","dev":"eth0","state":["FAILED"]},'
    '{"dst":"fe80::1","dev":"eth0","lladdr":"02:fc:00:00:00:05","router":null,"state":["STALE"]},'
    '{"dst":"2001:db8::5","dev":"eth0","lladdr":"02:fc:00:00:00:06","state":["DELAY"]}]'
)
WINDOWS = """\
Interface : 192.168.1.20 --- 0xb
  Adresse Internet      Adresse physique      Type
  192.168.1.1           02-fc-00-00-00-05     dynamique
  192.168.1.255         ff-ff-ff-ff-ff-ff     statique
  224.0.0.22            01-00-5e-00-00-16     statique

Interface 11 : Ethernet
Adresse Internet                              Adresse physique   Type
--------------------------------------------  -----------------  -----------
2001:db8::5                                   02-fc-00-00-00-06  Accessible
ff02::1                                       33-33-00-00-00-01  Permanent
"""
MACOS = """\
? (192.168.1.1) at 2:fc:0:0:0:5 on en0 ifscope [ethernet]
? (192.168.1.9) at (incomplete) on en0 ifscope [ethernet]
? (192.168.1.255) at ff:ff:ff:ff:ff:ff on en0 ifscope [ethernet]
Neighbor                        Linklayer Address  Netif Expire    St Flgs Prbs
2001:db8::5                     2:fc:0:0:0:6         en0 23h59m58s S
fe80::1%en0                     2:fc:0:0:0:5         en0 2s        R  R
"""


def test_linux_tables() -> None:
    assert parse_proc_arp(PROC_ARP) == ["192.168.1.1"]
    assert parse_ip_neigh(IP_NEIGH) == ["192.168.1.1", "fe80::1%eth0", "2001:db8::5"]


def test_windows_tables() -> None:
    assert parse_windows(WINDOWS) == ["192.168.1.1", "2001:db8::5"]


def test_macos_tables() -> None:
    assert parse_macos(MACOS) == ["192.168.1.1", "2001:db8::5", "fe80::1%en0"]


@pytest.mark.parametrize("text", ["", "nonsense", "[", '{"a": 1}', "[1, null]", "[" * 100_000])
def test_other_text_is_no_neighbour(text: str) -> None:
    for parse in (parse_proc_arp, parse_ip_neigh, parse_windows, parse_macos):
        assert parse(text) == []


def test_the_networks_of_an_interface() -> None:
    interfaces = {
        "lo": [("127.0.0.1", "255.0.0.0"), ("::1", "ffff:" * 7 + "ffff")],
        "eth0": [
            ("192.168.1.20", "255.255.255.0"),
            ("2001:db8:1::20", "ffff:ffff:ffff:ffff::"),
            ("fe80::5%eth0", "ffff:ffff:ffff:ffff::"),
        ],
        "tun0": [("10.8.0.2", "255.255.255.255"), ("bad", ""), ("10.9.0.1", "")],
    }
    found = [str(each) for each in networks_of(interfaces)]
    assert found == ["192.168.1.0/24", "2001:db8:1::/64"]


def test_on_link_is_without_a_router_between() -> None:
    near = ("192.168.1.0/24", "2001:db8:1::/64")
    assert on_link("192.168.1.200", near)
    assert on_link("2001:db8:1::9", near)
    assert not on_link("192.168.2.1", near)


def test_this_machine_is_read() -> None:
    assert all("/" in each for each in neighbours.local_networks())
    assert neighbours.resolve("localhost")
    with pytest.raises(NotFound):
        neighbours.resolve("127.0.0.1.1.1.")


def test_each_network_has_one_end_here_at_each_interface() -> None:
    two = [("192.168.1.7", "255.255.255.0"), ("192.168.1.8", "255.255.255.0")]
    local = ("fe80::7%eth0", "ffff:ffff:ffff:ffff::")
    given = {
        "lo": [("127.0.0.1", "255.0.0.0"), ("::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")],
        "eth0": [*two, local],
        "wlan0": two[1:],
        "tun0": [("10.8.0.2", "255.255.255.255"), ("nonsense", "")],
    }
    assert links_of(given) == (
        Link("127.0.0.1", "127.0.0.0/8", "lo"),
        Link("192.168.1.7", "192.168.1.0/24", "eth0"),
        Link("fe80::7", "fe80::/64", "eth0"),
        Link("192.168.1.8", "192.168.1.0/24", "wlan0"),
    )
