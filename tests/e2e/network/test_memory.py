"""What a patient is called never reaches the process that started the audit, nor outlives it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.e2e.network.archive import name_of
from tests.e2e.network.running import HOST, archives, observed
from tests.e2e.network.webs import Answer, web
from tests.e2e.oath.memory import count_in_memory

from serment.core.exposure.titles import USUAL_TITLES
from serment.ports.network import Order

BANNER = "Bonjour TNEITAP CILBUP"[::-1]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_name_is_in_the_parents_memory() -> None:
    names = {f"name {number}": name_of(number).encode() for number in range(3)}
    study = {"0020000D": {"Value": ["2.25.7"]}, "00100010": {"Value": [name_of(1)]}}
    pages = {
        "/rs/studies": Answer([study], headers={"Content-Type": "application/dicom+json"}),
        "/": Answer(f"<title>Index of /</title><a href='{name_of(2)}.dcm'>{BANNER}</a>"),
    }
    with archives({"patients": 3}) as (port,), web(pages) as server:
        order = Order((HOST,), (port, server.port), titles=USUAL_TITLES)
        with observed(order) as seen:
            readable = [each["facts"] for each in seen.services]
            assert [each["patients"]["count"] for each in readable if "patients" in each] == [3]
            assert count_in_memory(seen.pid, names) == {}
            assert count_in_memory(seen.pid, {"titles": b"CONQUESTSRV1"})  # looking finds things
            assert _children(seen.pid) == []


def test_the_child_is_without_core_dumps() -> None:
    """And it imports nothing that costs what an audit does not need."""
    code = (
        "import resource, sys, threading\n"
        "from serment.adapters.network import child\n"
        "child.probes.load()\n"
        "child.system.no_core_dumps()\n"
        "print(resource.getrlimit(resource.RLIMIT_CORE), 'pydicom' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "(0, 0) False"


def _children(pid: int) -> list[int]:
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(status.parent.name))
    return found
