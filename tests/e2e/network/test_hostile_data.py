"""Databases and remote accesses that begin well and then never end, lie about lengths or stall:
told as what they began as, cut, and bounded in memory. One that did not end would be ended by the
test's own limit."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from tests.e2e.network.hostile_data import KINDS
from tests.e2e.network.running import HERE, Observed, free_port, observed, running

from serment.ports.network import Order

PEAK_KIB = 150 * 1024
NOT_UNDERSTOOD = ("mongodb_giant", "rdp_drip")  # their first answer is already none
GRAVE = ("without_password", "open", "acknowledged")


@pytest.fixture(scope="module")
def seen() -> Iterator[tuple[Observed, dict[str, dict[str, Any]]]]:
    hosts = {kind: f"127.8.0.{number}" for number, kind in enumerate(KINDS, 1)}
    given = {kind: (host, free_port()) for kind, host in hosts.items()}
    last_host, last_port = given[list(KINDS)[-1]]
    program = (sys.executable, "-W", "ignore", "-m", "tests.e2e.network.hostile_data")
    with running(last_port, *program, json.dumps(given), host=last_host, folder=HERE.parents[2]):
        ports = tuple(port for _, port in given.values())
        with observed(Order(tuple(hosts.values()), ports)) as found:
            by_host = {each["place"]["host"]: each for each in found.services}
            yield found, {kind: by_host[host] for kind, host in hosts.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_told_as_what_it_began_as(
    seen: tuple[Observed, dict[str, dict[str, Any]]], kind: str
) -> None:
    expected = "unknown" if kind in NOT_UNDERSTOOD else kind.partition("_")[0]
    assert seen[1][kind]["protocol"] == expected


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_stated_of_what_was_never_answered(
    seen: tuple[Observed, dict[str, dict[str, Any]]], kind: str
) -> None:
    facts = seen[1][kind]["facts"] or {}
    answered = {name for name in GRAVE if facts.get(name) == "yes"}
    assert answered == ({"open"} if kind == "redis_giant" else set())  # it did say PONG


def test_what_never_ends_is_cut(seen: tuple[Observed, dict[str, dict[str, Any]]]) -> None:
    slow = [kind for kind in KINDS if kind.endswith("_drip") and kind not in NOT_UNDERSTOOD]
    assert [kind for kind in slow if kind != "telnet_drip" and not seen[1][kind]["cut"]] == []


def test_memory_stays_bounded(seen: tuple[Observed, dict[str, dict[str, Any]]]) -> None:
    assert seen[0].peak_kib < PEAK_KIB
