"""An almost empty network: whoever is there is found, whoever is not costs a bounded wait.

Two network namespaces and a wire between them; nothing leaves the machine. Where the system does
not permit namespaces the test says so and is skipped.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import Any

import pytest
from tests.e2e.network.running import script

UNSHARE = ["unshare", "-n"] if hasattr(os, "geteuid") and os.geteuid() == 0 else ["unshare", "-rn"]


@pytest.fixture(scope="module")
def seen() -> dict[str, Any]:
    if shutil.which("unshare") is None or shutil.which("nsenter") is None:
        pytest.skip("no unshare here: network namespaces are not tried")
    wire = "ip link set lo up && ip link add near type veth peer name far && unshare -n true"
    tried = subprocess.run([*UNSHARE, "sh", "-c", wire], capture_output=True, check=False)
    if tried.returncode:
        pytest.skip("this system permits no network namespaces with a wire between them")
    done = subprocess.run(
        [*UNSHARE, *script("lan.py")], capture_output=True, text=True, check=True, timeout=200
    )
    return json.loads(done.stdout)


def test_services_are_found_over_ipv4_and_ipv6(seen: dict[str, Any]) -> None:
    assert sorted(map(tuple, seen["services"])) == [
        ("10.77.0.20", 8080, "http"),
        ("fd77::20", 8080, "http"),
    ]


def test_a_link_local_address_is_called_on_its_link(seen: dict[str, Any]) -> None:
    ((host, port, protocol),) = seen["beside"]
    assert (host[:6], host[-5:], port, protocol) == ("fe80::", "%near", 8080, "http")


def test_networks_and_neighbours_are_known(seen: dict[str, Any]) -> None:
    assert seen["networks"] == ["10.77.0.0/24", "fd77::/64"]
    assert set(seen["neighbours"]) >= {"10.77.0.20", "fd77::20"}


def test_an_address_that_is_not_there_is_left_after_the_first_ports(seen: dict[str, Any]) -> None:
    tried = {address: set(ports) for address, ports in seen["tried"].items()}
    assert tried.pop("10.77.0.20") == {80, 443, 8080, 8081}
    assert tried.pop("10.77.0.1") == {80, 443, 8080, 8081}  # this machine itself
    assert len(tried) == 252
    assert {frozenset(ports) for ports in tried.values()} == {frozenset({80, 443})}
