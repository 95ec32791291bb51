"""Internet boxes that answer only what is sent to their network's group; and who is not of the audit,
who hears that search and gets nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.components import lacking
from tests.lan.lan import Lan
from tests.lan.parts import Machine, Part, Seen

from serment.core.exposure.igd import SEARCHED

PART = Part(11)
BOX = Path(__file__).with_name("box.py")
FOLDERS: dict[str, Path] = {}
DESCRIPTION = "GET /b0x.xml"  # at no usual path: only an answer to a search leads there


def box(machine: Machine, *words: str, host: str = "") -> None:
    FOLDERS[machine.name] = machine.folder
    rules = json.dumps([[8042, machine.host, 8042, "TCP"]])
    machine.python(5555, BOX, host or machine.host, 5555, rules, *words)


@PART.machine({5555: ("X22",)})
def box_of_the_group(machine: Machine) -> None:
    box(machine, "group")


@PART.machine({5555: ("X22",)})
def box_of_both(machine: Machine) -> None:
    box(machine, "both")


@PART.machine({5555: ()})
def box_of_a_neighbour(machine: Machine) -> None:
    box(machine, "group")


@PART.machine({5555: ("X22",)}, everywhere=True)
def box_with_ipv6(machine: Machine) -> None:
    box(machine, "group", host=machine.ipv6[0])


@PART.machine({5555: ()}, everywhere=True)
def box_that_speaks_for_another(machine: Machine) -> None:
    """For `box_of_both`, which is of the audit as well."""
    box(machine, "both", f"for={PART.host('box_of_both', '10.44')}")


@pytest.fixture(scope="module")
def started(lan: Lan) -> Iterator[dict[str, str]]:
    with lan.started(PART) as hosts:
        yield hosts


@pytest.fixture(scope="module")
def seen(lan: Lan, started: dict[str, str]) -> Seen:
    """An audit without the neighbour."""
    hosts = {name: host for name, host in started.items() if name != "box_of_a_neighbour"}
    if lan.is_own:
        hosts["box_with_ipv6"] = "fd44::11:" + hosts["box_with_ipv6"].rpartition(".")[2]
    return lan.audit(hosts, PART.machines, [80, 5555])


def asked(name: str) -> list[str]:
    file = FOLDERS[name] / "asked"
    return file.read_text().splitlines() if file.exists() else []


@pytest.mark.parametrize("name", ["box_of_the_group", "box_of_both", "box_with_ipv6"])
def test_a_box_is_found_and_its_forwardings_told_once(seen: Seen, name: str) -> None:
    seen.check(name)
    assert "8042/TCP" in seen.finding(name, 5555, "X22")["evidence"]
    assert asked(name).count(DESCRIPTION) == 1
    (host,) = [each for each in seen.said["hosts"] if each["host"] == seen.hosts[name]]
    assert [each["protocol"] for each in host["services"]].count("igd") == 1


def test_nobody_speaks_for_another(seen: Seen) -> None:
    seen.check("box_that_speaks_for_another")
    assert seen.findings("box_that_speaks_for_another", 5555) == []
    assert asked("box_of_both").count(DESCRIPTION) == 1


@pytest.mark.usefixtures("seen")
def test_who_is_not_of_the_audit_hears_the_search_and_is_asked_nothing(lan: Lan) -> None:
    if not lan.is_own:
        lacking("on loopback a box hears whatever is sent to the group there, by anybody")
    assert asked("box_of_a_neighbour") == ["search"] * len(SEARCHED)


@pytest.mark.usefixtures("seen")
def test_a_network_that_is_not_audited_is_not_searched(lan: Lan) -> None:
    if not lan.is_own:
        lacking("on loopback a box hears whatever is sent to the group there, by anybody")
    before = {name: asked(name) for name in FOLDERS}
    lan.audit({"itself": "127.0.0.1"}, {}, [80])
    assert {name: asked(name) for name in FOLDERS} == before
