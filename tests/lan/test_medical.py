"""DICOM nodes as practices have them: by real programs, open and closed, in clear and in TLS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.lan.lan import Lan
from tests.lan.parts import Machine, Part, Seen

PART = Part(1)


@PART.machine({11112: ("X03", "X06")}, needs="dcmtk")
def storescp_lax(machine: Machine) -> None:
    machine.start(11112, machine.tool("storescp"), "-od", machine.folder, 11112)


@pytest.fixture(scope="module")
def seen(lan: Lan) -> Iterator[Seen]:
    with lan.audited(PART) as found:
        yield found


@pytest.mark.parametrize("name", PART.machines)
def test_a_machine_is_told_as_what_it_is(seen: Seen, name: str) -> None:
    seen.check(name)
