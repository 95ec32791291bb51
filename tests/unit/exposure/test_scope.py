"""Which addresses may be touched: the practice's own, never a stranger's; and clear words otherwise."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.core.exposure.ports import ALL, COMMON, parse_ports
from serment.core.exposure.scope import (
    MOST,
    Scope,
    is_loopback,
    names_in,
    parse_target,
    plan,
    split,
)
from serment.errors import AccessDenied, SermentError, UsageError


def addresses(*targets: str, **options: object) -> Sequence[str]:
    return plan(targets, resolved={}, **options).addresses  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("192.168.1.20", ("192.168.1.20",)),
        ("192.168.1.20/30", ("192.168.1.21", "192.168.1.22")),
        ("192.168.1.20/31", ("192.168.1.20", "192.168.1.21")),
        ("10.0.0.254-10.0.1.1", ("10.0.0.254", "10.0.0.255", "10.0.1.0", "10.0.1.1")),
        ("127.0.0.9-11", ("127.0.0.9", "127.0.0.10", "127.0.0.11")),
        ("::1", ("::1",)),
        ("fd00::1/127", ("fd00::", "fd00::1")),
        ("fd00::4/126", ("fd00::4", "fd00::5", "fd00::6", "fd00::7")),
        ("10.0.0.4-10.0.0.7", ("10.0.0.4", "10.0.0.5", "10.0.0.6", "10.0.0.7")),
        ("fe80::1%eth0", ("fe80::1%eth0",)),
    ],
)
def test_targets(target: str, expected: Sequence[str]) -> None:
    assert addresses(target) == expected


def test_a_link_local_address_keeps_its_link() -> None:
    both = plan(["nas"], resolved={"nas": ["fe80::5%eth1", "192.168.1.5"]}).addresses
    assert both == ("fe80::5%eth1", "192.168.1.5")
    assert addresses("fe80::1%eth0", "fe80::2%eth0", excluded=["fe80::1"]) == ("fe80::2%eth0",)


@pytest.mark.parametrize(
    "target", ["fe80::1", "fe80::/126", "fe80::1-fe80::3", "fd00::1%eth0", "192.168.1.1%eth0"]
)
def test_a_link_that_is_missing_or_makes_no_sense_is_refused_clearly(target: str) -> None:
    with pytest.raises(UsageError) as refused:
        addresses(target)
    assert refused.value.hint


def test_each_address_once_in_the_order_given() -> None:
    assert addresses("10.0.0.2", "10.0.0.1", "10.0.0.1-3") == ("10.0.0.2", "10.0.0.1", "10.0.0.3")


@pytest.mark.parametrize(
    "public",
    [
        "8.8.8.8", "192.169.0.1", "172.32.0.1", "100.64.0.1", "2001:db8::1", "224.0.0.1",
        "::ffff:8.8.8.8", "0.0.0.0", "192.0.2.1", "64:ff9b::808:808", "2002:808:808::1",
    ],
)  # fmt: skip
def test_a_public_address_is_refused_unless_its_control_is_proved(public: str) -> None:
    with pytest.raises(AccessDenied):
        addresses("10.0.0.1", public)
    scope = plan([public], resolved={}, proved=[public])
    assert scope.proved == scope.addresses
    assert len(scope.proved) == 1


def test_one_public_address_in_a_range_is_enough() -> None:
    with pytest.raises(AccessDenied):
        addresses("172.31.255.254-172.32.0.0")


def test_an_ipv6_prefix_of_the_own_link_is_own_but_no_public_ipv4_network() -> None:
    assert addresses("2001:db8:1::20", on_link=["2001:db8:1::/64"]) == ("2001:db8:1::20",)
    with pytest.raises(AccessDenied):
        addresses("2001:db8:2::20", on_link=["2001:db8:1::/64"])
    with pytest.raises(AccessDenied):
        addresses("203.0.113.9", on_link=["203.0.113.0/24"])


def test_a_name_is_judged_by_its_addresses() -> None:
    resolved = {"pacs.local": ("192.168.1.5",), "shop.example": ("203.0.113.9",)}
    assert plan(["pacs.local"], resolved=resolved).addresses == ("192.168.1.5",)
    with pytest.raises(AccessDenied):
        plan(["shop.example"], resolved=resolved)
    assert names_in(["pacs.local", "10.0.0.1", "pacs.local"]) == ["pacs.local"]


def test_what_is_excluded_is_left_out_even_if_it_is_a_stranger() -> None:
    assert addresses("10.0.0.0/30", excluded=["10.0.0.2"]) == ("10.0.0.1",)
    assert addresses("10.0.0.1", "8.8.8.8", excluded=["8.8.8.0/24"]) == ("10.0.0.1",)
    with pytest.raises(UsageError):
        addresses("10.0.0.1", excluded=["10.0.0.0/8"])


def test_far_too_many_addresses_are_refused_before_they_are_listed() -> None:
    assert len(addresses("10.0.0.0/16")) == MOST - 2
    for target in ("10.0.0.0/15", "fd00::/64", "127.0.0.0/8"):
        with pytest.raises(UsageError, match="too many"):
            addresses(target)


def test_more_than_1024_addresses_are_asked_about() -> None:
    assert not Scope(tuple(map(str, range(1024)))).is_large
    assert Scope(tuple(map(str, range(1025)))).is_large


def test_only_this_machine_needs_nobody_to_authorise_it() -> None:
    assert plan(["127.0.0.1-9", "::1"], resolved={}).is_local
    assert not plan(["127.0.0.1", "10.0.0.1"], resolved={}).is_local
    assert not is_loopback("localhost")


@pytest.mark.parametrize(
    "target",
    ["300.1.1.1", "10.0.0.1/33", "10.0.0.5-3", "a b", "-", "", "http://x/", "1.2.3"],
)
def test_what_is_no_target_is_said(target: str) -> None:
    with pytest.raises(UsageError, match="is no address, range or host name") as said:
        addresses(target)
    assert said.value.hint


def test_targets_of_a_file() -> None:
    text = "# the imaging room\n192.168.1.20, 192.168.1.21  # the scanner\n\npacs.local\r\n"
    assert split([text, "10.0.0.1"]) == ["192.168.1.20", "192.168.1.21", "pacs.local", "10.0.0.1"]


@given(st.text(max_size=40))
def test_no_text_breaks_it(text: str) -> None:
    """Whatever is typed: a scope within the own ranges, or an error of ours."""
    try:
        parse_target(text)
        plan([text], resolved={})
    except SermentError as error:
        assert str(error)


def test_ports() -> None:
    assert parse_ports("104,4242,8000-8002,104") == (104, 4242, 8000, 8001, 8002)
    assert parse_ports("ALL") == ALL == tuple(range(1, 65536))
    assert parse_ports("common") == COMMON
    usual = {104, 2761, 2762, 4242, 11112, 8042, 2575, 21, 445, 3389, 5900, 6379, 5432, 11211, 9100}
    assert usual <= set(COMMON)
    assert len(COMMON) <= 150


@pytest.mark.parametrize("text", ["", "0", "65536", "5-3", "a", "80,", "-1", "1-2-3", "٣", "1e3"])
def test_what_is_no_list_of_ports_is_said(text: str) -> None:
    with pytest.raises(UsageError):
        parse_ports(text)
