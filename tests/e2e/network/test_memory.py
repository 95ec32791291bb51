"""What a patient is called never reaches the process that started the audit, nor outlives it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.e2e.network.archive import name_of
from tests.e2e.network.running import HOST, archives, observed
from tests.e2e.network.webs import Answer, web
from tests.e2e.oath.memory import count_in_memory

from serment.adapters.network.local import LocalNetwork
from serment.core.exposure.titles import USUAL_TITLES
from serment.ports.network import Order

BANNER = "TNEITAP NU RUOJNOB"[::-1]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_name_is_in_the_parents_memory() -> None:
    names = {f"name {number}": name_of(number).encode() for number in range(3)}
    names["text of a page"] = BANNER.encode()
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


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_child_is_without_core_dumps() -> None:
    """Looked at while it waits for somebody who says nothing."""
    with socket.create_server((HOST, 0)) as server:
        order = Order((HOST,), (server.getsockname()[1],))
        audit = threading.Thread(target=lambda: list(LocalNetwork().audit(order)))
        audit.start()
        peer, _ = server.accept()  # the port phase
        talking, _ = server.accept()  # and somebody who talks
        limits = [Path(f"/proc/{pid}/limits").read_text() for pid in _children(os.getpid())]
        for each in (peer, talking):
            each.close()
        audit.join()
    core = [line.split() for text in limits for line in text.splitlines() if "core" in line]
    assert ["Max", "core", "file", "size", "0", "0", "bytes"] in core


def test_the_child_starts_without_what_it_does_not_need() -> None:
    code = (
        "import sys\n"
        "from serment.adapters.network import child\n"
        "child.probes.load()\n"
        "print('pydicom' in sys.modules, 'numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


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
