"""What helpers say and do not get: a place that was handed over is given back, a fall is noticed."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has helpers")

# Each in a process of its own: a crew forks one in which nothing runs yet.
BEGIN = """
import os, resource, socket, threading
from serment.bootstrap.crew import DICOM, INTAKE, STOP, Crew
here, there = socket.socketpair()
ended, fallen = threading.Semaphore(0), threading.Event()
def begin(work):
    crew = Crew(1, work, fallen.set)
    crew.start()
    return crew
def handed_over(crew, kind=DICOM):
    return crew.hand_over(kind, 1, there, ended.release)
def eventually_ended():
    assert ended.acquire(timeout=20)
"""

NO_DESCRIPTOR = """
def work(channel):
    channel.next()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    for _ in range(2):
        kind, connection, _ = channel.next()
        assert connection is None, connection
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    kind, connection, done = channel.next()
    connection.sendall(b"served")
    done()
    assert channel.next()[0] == STOP
crew = begin(work)
for kind in (DICOM, INTAKE):
    assert handed_over(crew, kind)
    eventually_ended()
assert handed_over(crew)
eventually_ended()
assert here.recv(6) == b"served"
crew.stop()
crew.wait()
assert not fallen.is_set()
"""

NUMBERS = """
def work(channel):
    channel.next()
    _, _, done = channel.next()
    for _ in range(3):
        done()
    channel._connection.send(b"nonsense")
    channel.next()
    os._exit(1)
crew = begin(work)
assert handed_over(crew)
eventually_ended()
assert handed_over(crew)
assert fallen.wait(20)
assert not ended.acquire(blocking=False)
"""


@pytest.mark.parametrize("said", [NO_DESCRIPTOR, NUMBERS], ids=["no descriptor", "numbers"])
def test_a_helper(said: str) -> None:
    """A connection for which it has no file descriptor free has ended: its place is free again. A
    number said twice, or never given, ends nothing, and its fall is noticed all the same."""
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + said],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
