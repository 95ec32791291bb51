"""A scan that nmap really made from outside, imported: joined to what is inside."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.e2e.peer.helping import audit, outside
from tests.e2e.peer.internet import ARCHIVE, BOX_OUTSIDE, WEB, Internet


@pytest.mark.real("nmap", "nftables")
def test_nmaps_own_file_is_joined(net: Internet, tmp_path: Path) -> None:
    net.forward(f"tcp dport 8080 dnat to {WEB}")
    try:
        words = ("nmap", "-Pn", "-n", "-sT", "-p", "22,104,8080", "-oX", "-", BOX_OUTSIDE)
        (tmp_path / "scan.xml").write_text(net.run("helper", *words))
    finally:
        net.forward()
    words = ("192.168.77.0/24", "--ports", "104,8080", "--outside", str(tmp_path / "scan.xml"))
    answer = audit(net, *words)
    assert set(outside(answer).values()) == {"not_checked"}  # no box says whose address it is of
    assert f"{BOX_OUTSIDE} (8080)" in str(answer["not_checked"])
    answer = audit(net, *words, "--outside-address", BOX_OUTSIDE)
    seen = outside(answer)
    assert seen["X17", WEB, 8080] == "confirmed"
    assert seen["X23", WEB, 8080] == "confirmed"
    assert answer["outside"]["by"] == ["import"]
    # what was reached that no box lists shows that there may be more
    assert {said for key, said in seen.items() if key[1] == ARCHIVE} == {"not_checked"}
