"""A child that fell is started again only once what it left behind has ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from serment.bootstrap import children
from serment.bootstrap.children import Child
from serment.errors import Unavailable

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork")

FELL = """
import os, sys, time
if not os.fork():
    time.sleep(float(sys.argv[1]))
    os._exit(0)
print('{"ready": true}', flush=True)
sys.stdin.read()
"""


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch) -> Child:
    """One whose own child outlives it by as many seconds as its argument says."""
    start = subprocess.Popen

    def other_program(command: list[str], **options: object) -> object:
        return start([sys.executable, "-c", FELL, command[-1]], **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "Popen", other_program)
    return Child("example", ["0"])


def fall(child: Child) -> None:
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    while child.alive():
        time.sleep(0.01)


def test_the_next_one_waits(child: Child) -> None:
    child.arguments = ["1"]
    child.start()
    began = time.monotonic()
    fall(child)
    child.arguments = ["0"]
    child.start()
    assert time.monotonic() - began > 0.5
    child.stop()


def test_it_is_not_started_beside_one_that_does_not_end(
    child: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "LAST_SECONDS", 0.05)
    child.arguments = ["1"]
    child.start()
    fall(child)
    with pytest.raises(Unavailable, match="does not end"):
        child.start()
    assert not child.alive()
