"""What a helper outside tells of a practice behind its box, over sockets: open, closed, shared, once an hour."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.e2e.peer.helping import audit, outside, paired
from tests.e2e.peer.internet import (
    ARCHIVE,
    BOX,
    BOX_OUTSIDE,
    CARRIER,
    HELPER6,
    PRACTICE6,
    WEB,
    Internet,
)

pytestmark = pytest.mark.real("nftables")
PORTS = ("--ports", "104,8080")
EVERYBODY = "192.168.77.0/24"
MAPPED = [[11112, ARCHIVE, 104, "TCP"]]


@pytest.fixture(autouse=True)
def box_closed(net: Internet) -> Iterator[None]:
    """Each test begins with a box that lets nobody in, and leaves it so."""
    yield
    net.forward()
    net.seen_from(BOX_OUTSIDE)


@contextmanager
def upnp(net: Internet, script: Path, mappings: object, address: str) -> Iterator[None]:
    """The box tells over UPnP what it forwards, and its address."""
    command = (sys.executable, script, BOX, "5000", json.dumps(mappings), address)
    program = net.start("box", *command)
    try:
        net.wait_for("practice", BOX, 5000)
        yield
    finally:
        program.kill()
        program.wait()


def test_a_forwarded_archive_is_confirmed_and_the_rest_is_closed(
    net: Internet, box_script: Path
) -> None:
    net.forward(f"tcp dport 11112 dnat to {ARCHIVE}:104")
    with paired(net, "forwarded"), upnp(net, box_script, MAPPED, BOX_OUTSIDE):
        answer = audit(net, BOX, ARCHIVE, WEB, "--peer", "forwarded", *PORTS)
        called = net.called()
    seen = outside(answer)
    assert seen["X01", ARCHIVE, 104] == "confirmed"
    assert seen["X22", ARCHIVE, 104] == "confirmed"
    assert {said for key, said in seen.items() if key[1] == WEB} == {"closed"}
    assert not [key for key in seen if key[0] == "X23"]
    assert answer["outside"]["by"] == ["upnp", "peer"]
    looked = answer["outside"]["peer"]
    assert (looked["address"], looked["shared"], looked["open"]) == (BOX_OUTSIDE, False, [11112])
    assert {host for host, _ in called} == {BOX_OUTSIDE}
    assert {port for _, port in called} == {*looked["open"], *looked["closed"]}
    assert len(called) <= 60


def test_a_dmz_that_upnp_does_not_tell_is_found(net: Internet) -> None:
    net.forward(f"dnat to {WEB}")
    with paired(net, "dmz"):
        answer = audit(net, EVERYBODY, "--peer", "dmz", *PORTS)
    seen = outside(answer)
    assert seen["X23", WEB, 8080] == "confirmed"
    assert seen["X01", ARCHIVE, 104] == "not_checked"  # no list says that nothing else leads there
    assert answer["outside"]["by"] == ["peer"]
    (found,) = [each for each in answer["findings"] if each["id"] == "X23"]
    assert found["severity"] == "critical"


def test_where_a_machine_was_not_looked_at_a_port_is_the_boxs(net: Internet) -> None:
    """The web server has that port and is left out: the archive's own is not what answered."""
    net.forward(f"tcp dport 104 dnat to {WEB}:8080")
    with paired(net, "partly"):
        answer = audit(net, ARCHIVE, "--peer", "partly", *PORTS)
    seen = outside(answer)
    assert seen["X23", BOX_OUTSIDE, 104] == "confirmed"
    assert seen["X01", ARCHIVE, 104] == "not_checked"


def test_it_looks_once_an_hour_and_without_it_nothing_reads_closed(
    net: Internet, box_script: Path
) -> None:
    with paired(net, "hourly"), upnp(net, box_script, [], BOX_OUTSIDE):
        first = audit(net, BOX, WEB, "--peer", "hourly", *PORTS)
        assert {said for key, said in outside(first).items() if key[1] == WEB} == {"closed"}
        net.called()
        second = audit(net, BOX, WEB, "--peer", "hourly", *PORTS)
    assert net.called() == set()
    assert set(outside(second).values()) == {"not_checked"}
    assert second["outside"]["by"] == ["upnp"]
    (why,) = [each for each in second["not_checked"] if each["check"] == "peer"]
    assert "once an hour" in why["reason"]


def test_a_box_with_another_address_is_behind_a_carrier(net: Internet, box_script: Path) -> None:
    net.forward(f"tcp dport 8080 dnat to {WEB}")
    with paired(net, "behind"), upnp(net, box_script, [], "100.70.0.5"):
        answer = audit(net, BOX, WEB, "--peer", "behind", *PORTS)
    assert outside(answer)["X17", WEB, 8080] == "shared_address"
    assert net.called() == set()
    assert answer["outside"]["peer"]["shared"]


def test_a_carriers_address_is_not_called_even_when_the_practice_asks(net: Internet) -> None:
    net.forward(f"tcp dport 8080 dnat to {WEB}")
    net.seen_from(CARRIER)
    with paired(net, "carrier"):
        answer = audit(net, WEB, "--peer", "carrier", *PORTS)
        script = Path(__file__).with_name("asking.py")
        words = (sys.executable, script, net.pairings("practice"), "carrier", 8080)
        insisted = json.loads(net.run("practice", *words))
    assert outside(answer)["X17", WEB, 8080] == "shared_address"
    assert any("shared address" in each["reason"] for each in answer["not_checked"])
    assert insisted == {"address": CARRIER, "status": "SHARED", "tried": 0}
    assert net.called() == set()


def test_an_address_of_ipv6_is_reached_without_any_forwarding(net: Internet) -> None:
    with paired(net, "six", host=HELPER6):
        answer = audit(net, PRACTICE6, "--peer", "six", *PORTS)
    seen = outside(answer)
    assert seen["X26", PRACTICE6, 104] == "confirmed"
    assert seen["X01", PRACTICE6, 104] == "confirmed"
    assert not [key for key in seen if key[0] == "X23"]
    assert {host for host, _ in net.called()} == {PRACTICE6}
