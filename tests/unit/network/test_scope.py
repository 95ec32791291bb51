"""An address is in scope when it is one of the order's, however it is written."""

from __future__ import annotations

import pytest

from serment.adapters.network.dialer import Dialer
from serment.adapters.network.line import Budget, Cut, OutOfScope
from serment.adapters.network.scope import NEVER_SPOKEN_TO, Scope


def test_an_address_is_compared_as_a_number() -> None:
    scope = Scope(["192.168.1.9", "fe80::1%eth0", "fd00::a"])
    assert scope.find("192.168.1.9") == "192.168.1.9"
    assert scope.find("::ffff:192.168.1.9") == "192.168.1.9"
    assert scope.find("fd00:0:0:0:0:0:0:A") == "fd00::a"
    assert scope.find("[fd00::a]") == "fd00::a"
    assert scope.find("fe80::1%eth0") == "fe80::1%eth0"


@pytest.mark.parametrize(
    "outside",
    [
        *("192.168.1.10", "192.168.001.9", "3232235785", "0xC0A80109", "192.168.1.9.example"),
        *("localhost", "", "192.168.1.9\n", "192.168.1.9/32", "fe80::1", "fe80::1%eth1"),
    ],
)
def test_everything_else_is_outside(outside: str) -> None:
    assert Scope(["192.168.1.9", "fe80::1%eth0"]).find(outside) is None


def test_nothing_outside_is_called() -> None:
    dialer, budget = Dialer(Scope(["127.0.0.1"])), Budget(1, 1)
    for call in (
        lambda: dialer.line("127.0.0.2", 80, budget),
        lambda: dialer.begin("127.0.0.2", 80),
        lambda: dialer.datagram("127.0.0.2", 80, b"x", budget),
        lambda: dialer.line("127.0.0.1", 0, budget),
        lambda: dialer.line("127.0.0.1", 65536, budget),
    ):
        with pytest.raises(OutOfScope):
            call()


def test_printers_are_never_spoken_to() -> None:
    dialer = Dialer(Scope(["127.0.0.1"]))
    assert set(NEVER_SPOKEN_TO) == {515, *range(9100, 9108)}
    for port in NEVER_SPOKEN_TO:
        with pytest.raises(OutOfScope):
            dialer.line("127.0.0.1", port, Budget(1, 1))


def test_no_connection_begins_after_the_deadline() -> None:
    with pytest.raises(Cut):
        Dialer(Scope(["127.0.0.1"])).line("127.0.0.1", 9, Budget(0, 1))
