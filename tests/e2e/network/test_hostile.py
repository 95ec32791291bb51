"""Servers that mean no good cost bounded time and memory, and are told as what they are.

Each has an address of its own, so that they are talked to side by side. An audit that did not end
would be ended by the test's own limit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.e2e.network.hostile import KINDS
from tests.e2e.network.running import Observed, hostile, observed

from serment.core.exposure.titles import USUAL_TITLES
from serment.ports.network import Order

PEAK_KIB = 150 * 1024
EXPECTED = {
    "silent": "silent",
    "stalled_tls": "tls",
    "endless_association": "dicom",
    "silent_after_accept": "dicom",
    "evil_banner": "ftp",
    **dict.fromkeys(
        ("redirect_loop", "bomb", "endless_body", "dripping_body", "huge_chunk", "deep_json"),
        "http",
    ),
    **dict.fromkeys(("elsewhere", "evil_page"), "http"),
}


@pytest.fixture(scope="module")
def seen() -> Iterator[tuple[Observed, dict[str, dict[str, Any]]]]:
    hosts = {kind: f"127.7.0.{number}" for number, kind in enumerate(KINDS, 1)}
    with hostile(hosts) as ports:
        order = Order(tuple(hosts.values()), tuple(ports.values()), titles=USUAL_TITLES)
        with observed(order) as found:
            by_host = {each["place"]["host"]: each for each in found.services}
            yield found, {kind: by_host[host] for kind, host in hosts.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_nonsense_is_told_as_such(
    seen: tuple[Observed, dict[str, dict[str, Any]]], kind: str
) -> None:
    assert seen[1][kind]["protocol"] == EXPECTED.get(kind, "unknown")


def test_memory_stays_bounded(seen: tuple[Observed, dict[str, dict[str, Any]]]) -> None:
    assert seen[0].peak_kib < PEAK_KIB


def test_what_never_ends_is_cut(seen: tuple[Observed, dict[str, dict[str, Any]]]) -> None:
    assert seen[1]["dripping_body"]["cut"] is True
    assert seen[1]["endless_association"]["facts"]["studies"] == "nothing"
    assert seen[1]["stalled_tls"]["tls"]["understood"] is False


def test_nothing_of_what_is_not_understood_is_kept(
    seen: tuple[Observed, dict[str, dict[str, Any]]],
) -> None:
    unknown = [each for each in seen[1].values() if each["protocol"] == "unknown"]
    assert [each["banner"] + each["product"] + each["version"] for each in unknown if each] == [
        "" for _ in unknown
    ]
