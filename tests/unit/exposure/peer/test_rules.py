"""Which addresses are shared, and which ports are worth a look from outside."""

from __future__ import annotations

import pytest
from tests.unit.exposure.sights import HOST, scan, service

from serment.core.exposure.peer.frames import HEAD, LENGTHS, MOST_BYTES, Kind, build, parse_head
from serment.core.exposure.peer.rules import MOST_PORTS, canonical, is_shared, ports_to_try
from serment.core.exposure.seen import Dicom, Gateway
from serment.core.exposure.seen import Mapping as Forwarding
from serment.errors import FormatError


@pytest.mark.parametrize(
    "address",
    [
        "100.64.0.1", "100.127.255.254", "192.0.0.2", "192.0.0.7", "10.1.2.3", "172.31.0.9",
        "192.168.1.20", "127.0.0.1", "169.254.1.1", "198.18.0.1", "224.0.0.1", "255.255.255.255",
        "0.0.0.0", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "64:ff9b::cb00:7107",
        "2002:cb00:7107::1", "2001:0:1::1", "::ffff:100.64.0.1",
    ],
)  # fmt: skip
def test_addresses_that_many_or_none_have_are_shared(address: str) -> None:
    assert is_shared(address)


@pytest.mark.parametrize(
    "address",
    ["203.0.113.7", "100.63.255.255", "100.128.0.1", "192.0.1.1", "2001:db8::7", "2a01:e0a::1"],
)
def test_others_are_not(address: str) -> None:
    assert not is_shared(address)


def test_another_address_than_the_boxs_is_a_carriers() -> None:
    assert is_shared("203.0.113.7", ["100.70.0.5"])
    assert is_shared("203.0.113.7", ["203.0.113.8"])
    assert not is_shared("203.0.113.7", ["203.0.113.7"])
    assert not is_shared("203.0.113.7", ["203.0.113.8", "203.0.113.7"])  # two boxes
    assert not is_shared("203.0.113.7", [""])  # a box that does not say
    assert not is_shared("2001:db8::7", ["203.0.113.7"])  # IPv6 goes without the box's address


def test_canonical() -> None:
    assert canonical("::FFFF:203.0.113.7") == "203.0.113.7"
    assert canonical("FE80::0001%3") == "fe80::1"
    with pytest.raises(ValueError, match="not"):
        canonical("not an address")


def test_ports_go_from_the_most_telling_on() -> None:
    box = service(
        "igd",
        5000,
        Gateway((Forwarding(40104, HOST, 104, "TCP"), Forwarding(500, HOST, 500, "UDP"))),
        host="192.168.1.1",
    )
    seen = scan(box, service("http", 80), service("dicom", 4006, Dicom()), service("snmp", 161))
    ports = ports_to_try(seen)
    assert ports[:4] == (40104, 4006, 5000, 80)
    assert {500, 161}.isdisjoint(ports)
    assert 11112 in ports
    assert len(ports) == len(set(ports)) <= MOST_PORTS
    crowded = scan(box, *(service("http", 20_000 + number) for number in range(200)))
    assert len(ports_to_try(crowded)) == MOST_PORTS
    assert ports_to_try(crowded)[0] == 40104
    assert ports_to_try(crowded, [40105, 40104])[:2] == (40104, 40105)  # by which it was reached


def test_a_head_says_kind_and_length_and_nothing_too_long() -> None:
    assert max(most for _, most in LENGTHS.values()) <= MOST_BYTES
    assert set(LENGTHS) == set(Kind)
    for kind, (least, most) in LENGTHS.items():
        for length in (least, most):
            assert parse_head(build(kind, bytes(length))[: HEAD.size], kind) == (kind, length)
        for length in (least - 1, most + 1):
            with pytest.raises(FormatError):
                parse_head(build(kind, bytes(length))[: HEAD.size], kind)


@pytest.mark.parametrize(
    "head",
    [b"", b"GET / H", b"SRM1\x00\x00\x10", b"SRM1\x02\x00\x78", b"SRM2\x01\x00\x10", b"SRM1\x01"],
)
def test_anything_else_is_refused_from_its_first_bytes(head: bytes) -> None:
    with pytest.raises(FormatError):
        parse_head(head, Kind.HELLO, Kind.PAIR)
