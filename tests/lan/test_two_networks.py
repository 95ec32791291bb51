"""A machine with an address of the Internet (IPv6), seen from another at the same wire; and an audit
that is given no targets: whoever is known to be there."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.components import lacking
from tests.lan.lan import SERMENT, Lan
from tests.lan.parts import Machine, Part, Seen

PART = Part(6)
PAGES = Path(__file__).with_name("pages.py")
ARCHIVE = Path(__file__).parents[1] / "e2e" / "network" / "archive.py"
WITHOUT_RIGHTS = ("setpriv", "--bounding-set", "-net_raw", "--inh-caps", "-net_raw")
ROUTABLE = "2001:db8:44::6:"
BUNDLE = {"resourceType": "Bundle", "total": 7}


def site(machine: Machine, port: int, pages: dict[str, Any]) -> None:
    given = {"host": "::", "port": port, "pages": pages}
    machine.python(port, PAGES, machine.write("site.json", json.dumps([given])))


@PART.machine({8080: ("X20", "X26")}, everywhere=True)
def records(machine: Machine) -> None:
    site(machine, 8080, {"/fhir/Patient": {"body": BUNDLE}})


@PART.machine({11112: ("X01", "X02", "X04", "X06", "X26")}, everywhere=True)
def images(machine: Machine) -> None:
    settings = {"host": "::", "port": 11112, "patients": 2}
    machine.python(11112, ARCHIVE, json.dumps([settings]))


@PART.machine({80: ()}, everywhere=True)
def plain(machine: Machine) -> None:
    site(machine, 80, {"/": {"body": "<title>Cabinet</title>"}})


@pytest.fixture(scope="module")
def started(lan: Lan) -> Iterator[dict[str, str]]:
    if not lan.is_own:
        lacking("this system permits no network namespaces with a wire between them")
    with lan.started(PART) as hosts:
        yield hosts


@pytest.fixture(scope="module")
def seen(lan: Lan, started: dict[str, str]) -> Seen:
    hosts = {name: ROUTABLE + host.rpartition(".")[2] for name, host in started.items()}
    return lan.audit(hosts, PART.machines, [80, 8080, 11112])


@pytest.fixture(scope="module")
def by_itself(lan: Lan, seen: Seen) -> dict[str, Any]:
    """An audit without targets, when the neighbours have been met."""
    words = ["scan", "network", "--ports", "8080,11112", "--authorised-by", "Dr Fictif", "--json"]
    return lan.serment(*words)[0]


@pytest.mark.parametrize("name", PART.machines)
def test_a_routable_address_is_told(seen: Seen, name: str) -> None:
    seen.check(name)


def test_whether_the_internet_reaches_it_is_not_claimed(seen: Seen) -> None:
    assert seen.finding("images", 11112, "X26")["outside"] == "not_checked"


def test_neighbours_are_the_targets_when_none_is_named(
    by_itself: dict[str, Any], started: dict[str, str]
) -> None:
    stated = {(each["host"], each["port"], each["id"]) for each in by_itself["findings"]}
    assert (f"{ROUTABLE}11", 11112, "X01") in stated
    assert (f"{ROUTABLE}10", 8080, "X26") in stated


def permit(lan: Lan, groups: str) -> None:
    """Who may send an echo request without other rights (icmp(7)); "1 0" = nobody."""
    words = ("sysctl", "-qw", f"net.ipv4.ping_group_range={groups}")
    subprocess.run([*lan.here.enter, *words], check=True, capture_output=True)


def unmet(lan: Lan, met: str, *before: str) -> dict[str, Any]:
    """An audit without targets by a machine that has met one over IPv4, none over IPv6; `before`: what
    runs it."""
    meet = (sys.executable, "-c", f"import socket; socket.create_connection(('{met}', 80))")
    subprocess.run([*lan.here.enter, *meet], check=True, capture_output=True)
    forget = ("ip", "-6", "neigh", "flush", "all")
    subprocess.run([*lan.here.enter, *forget], check=True, capture_output=True)
    words = ["scan", "network", "--ports", "8080,11112", "--authorised-by", "Dr Fictif", "--json"]
    command = [*lan.here.enter, *before, *SERMENT, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode in (0, 1), done.stdout
    return json.loads(done.stdout)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("groups", "without"), [("1 0", ()), ("0 0", WITHOUT_RIGHTS)], ids=["raw", "datagram"]
)
def test_who_was_never_met_over_ipv6_answers_a_call_to_all(
    lan: Lan, started: dict[str, str], groups: str, without: tuple[str, ...]
) -> None:
    """Whichever of the two ways the system permits."""
    permit(lan, groups)
    said = unmet(lan, started["plain"], *without)
    stated = {(each["host"], each["port"], each["id"]) for each in said["findings"]}
    assert (f"{ROUTABLE}11", 11112, "X26") in stated
    assert (f"{ROUTABLE}10", 8080, "X26") in stated
    assert "fe80" not in str(stated)


def test_where_nobody_can_be_called_that_is_told(lan: Lan, started: dict[str, str]) -> None:
    permit(lan, "1 0")
    said = unmet(lan, started["plain"], *WITHOUT_RIGHTS)
    told = {each["host"] for each in said["not_checked"] if "(X26)" in each["reason"]}
    assert told == {"2001:db8:44::/64", "fd44::/64"}


def test_a_network_too_large_to_be_swept_unasked_is_named(by_itself: dict[str, Any]) -> None:
    skipped = [each["host"] for each in by_itself["not_checked"] if each["check"] == "scope"]
    assert skipped == ["10.44.0.0/16"]
