"""HOST:PORT as people write it."""

from __future__ import annotations

import pytest

from serment.bootstrap.addresses import parse_address
from serment.errors import UsageError


@pytest.mark.parametrize(
    ("text", "loopback"),
    [
        ("127.0.0.1:8443", True),
        ("localhost:0", True),
        ("[::1]:11112", True),
        ("0.0.0.0:8443", False),
        ("[::]:8443", False),
        ("192.168.1.20:104", False),
        ("cabinet.example:8443", False),
    ],
)
def test_an_address_comes_back_as_written(text: str, loopback: bool) -> None:
    address = parse_address(text)
    assert str(address) == text
    assert address.is_loopback is loopback


def test_without_a_host_it_is_this_machine() -> None:
    assert str(parse_address(":8443")) == "127.0.0.1:8443"


@pytest.mark.parametrize("text", ["", "nowhere", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_address(text)
