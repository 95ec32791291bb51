"""A public address is audited only when the tool's own listener there has proved it to a helper."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.e2e.peer.helping import audit, paired
from tests.e2e.peer.internet import BOX_OUTSIDE, PRACTICE, SERVER, Internet

pytestmark = pytest.mark.real("nftables")
PORTS = ("--ports", "8088")


def test_without_a_helper_it_is_refused(net: Internet) -> None:
    answer = audit(net, SERVER, *PORTS, where="server", code=4)
    assert answer["error"]["kind"] == "access-denied"


def test_a_server_proves_its_own_address(net: Internet, tmp_path: Path) -> None:
    (tmp_path / "patients.csv").write_text("nom;prenom\n")
    listing = ("-m", "http.server", "8088", "--bind", SERVER, "--directory", tmp_path)
    web = net.start("server", sys.executable, *listing)
    net.wait_for("server", SERVER, 8088)
    with paired(net, "mine", where="server"):
        answer = audit(net, SERVER, "--peer", "mine", *PORTS, where="server")
        called = net.called()
    web.kill()
    assert answer["proved"] == [SERVER]
    (proof,) = answer["proofs"]
    assert (proof["address"], proof["port"], proof["by"]) == (SERVER, 7312, "mine")
    assert {host for host, _ in called} == {SERVER}
    assert answer["outside"]["peer"]["open"] == [8088]
    assert {each["outside"] for each in answer["findings"]} == {"confirmed"}
    assert [each["host"] for each in answer["hosts"]] == [SERVER]


def test_another_ones_address_cannot_be_proved_and_nobody_is_asked_unauthorised(
    net: Internet,
) -> None:
    with paired(net, "others"):
        answer = audit(net, SERVER, "--peer", "others", *PORTS, code=4)
        words = ("scan", "network", BOX_OUTSIDE, "--peer", "others", *PORTS)
        unauthorised = net.serment("practice", *words, code=4)
    assert BOX_OUTSIDE in answer["error"]["message"]
    assert "authorised" in unauthorised["error"]["message"]
    assert net.called() == set()


def test_an_address_whose_port_does_not_lead_here_is_not_proved(net: Internet) -> None:
    with paired(net, "closed"):
        answer = audit(net, BOX_OUTSIDE, "--peer", "closed", *PORTS, code=4)
    assert "could not reach our own listener" in answer["error"]["message"]
    assert net.called() == {(BOX_OUTSIDE, 7312)}


def test_something_else_that_listens_there_is_no_proof(net: Internet) -> None:
    """The forwarding leads to another machine's port: it accepts, and has no token."""
    net.forward("tcp dport 7312 dnat to 192.168.77.30:8080")
    try:
        with paired(net, "else"):
            audit(net, BOX_OUTSIDE, "--peer", "else", *PORTS, code=4)
    finally:
        net.forward()


def test_the_box_may_lead_to_this_machine(net: Internet) -> None:
    net.forward(f"tcp dport 7313 dnat to {PRACTICE}")
    try:
        with paired(net, "led"):
            words = ("--peer", "led", "--prove", "7313", *PORTS)
            answer = audit(net, BOX_OUTSIDE, *words, code=0)
    finally:
        net.forward()
    assert [(each["address"], each["port"]) for each in answer["proofs"]] == [(BOX_OUTSIDE, 7313)]
