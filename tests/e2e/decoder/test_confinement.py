"""What a decoder child that somebody has taken over can still do: nothing but answer."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tests.components import lacking
from tests.e2e.attempting import EVERYTHING, attempts
from tests.e2e.decoder.test_decoder import PATIENT, children, still_works
from tests.e2e.oath.memory import count_in_memory

from serment.adapters.decoder import probe
from serment.adapters.decoder.pool import DecoderPool

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="elsewhere limits alone remain, or nothing"
)


def test_without_confinement_every_attempt_succeeds(tmp_path: Path) -> None:
    assert attempts(tmp_path)[0] >= EVERYTHING


def test_a_child_taken_over_can_do_nothing(tmp_path: Path) -> None:
    possible, held = attempts(tmp_path, "isolate", "limits", "calls")
    assert possible == set()
    assert {"memory", "processor", "no new file", "no file size", "system calls"} <= set(held)


def test_the_limits_alone_leave_no_file_no_socket_and_no_memory(tmp_path: Path) -> None:
    """What holds on systems without a system call filter."""
    possible, held = attempts(tmp_path, "limits")
    assert "system calls" not in held
    left = {"another name", "a process", "a thread", "a signal", "a debugger"}
    left |= {"the parent's memory", "code of its own"}
    assert possible <= left | {"a higher priority"}  # the last for root only, as a process


def test_the_filter_alone_leaves_memory_only(tmp_path: Path) -> None:
    assert attempts(tmp_path, "calls")[0] <= {"memory", "looser limits"}


def test_what_this_system_does_not_grant_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The probe says what a real child says; a child that does not start is denied nothing."""
    with DecoderPool() as own:
        held = own.confinements()
    assert probe.lacking() == [name for name in probe.WANTED if name not in held]
    monkeypatch.setattr(probe, "_TRY", "raise SystemExit(1)")
    assert probe.lacking() == list(probe.WANTED)


def test_endless_work_ends(tmp_path: Path) -> None:
    code = "from serment.adapters.confinement import confine\nconfine(1 << 30, 1)\nwhile 1: pass"
    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=120)
    assert -done.returncode in (signal.SIGXCPU, signal.SIGKILL)


@pytest.fixture
def child() -> Iterator[psutil.Process]:
    """A real one that has shown a patient's picture, of a parent with secrets and open files."""
    before = {each.pid for each in children()}
    with DecoderPool() as own:
        still_works(own)
        (found,) = [each for each in children() if each.pid not in before]
        yield found


def test_a_real_child_has_its_pipes_and_its_limits_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERMENT_SECRET_OF_A_TEST", "must-not-be-seen-anywhere")
    before = {each.pid for each in children()}
    with (tmp_path / "open").open("w") as file, DecoderPool() as own:
        os.set_inheritable(file.fileno(), True)
        still_works(own)
        (found,) = [each for each in children() if each.pid not in before]
        proc = Path(f"/proc/{found.pid}")
        try:
            opened = {int(path.name) for path in (proc / "fd").iterdir()}
            environment = (proc / "environ").read_bytes()
        except PermissionError:
            lacking("only root may look into a process that is not dumpable: run the tests as root")
        assert opened == {0, 1, 2}
        assert (proc / "fd" / "2").readlink() == Path("/dev/null")
        assert b"must-not-be-seen" not in environment
        assert b"SERMENT" not in environment
        status = (proc / "status").read_text()
        assert "NoNewPrivs:\t1" in status
        assert "Seccomp:\t2" in status
        wanted = {resource.RLIMIT_AS: 1 << 30, resource.RLIMIT_NOFILE: 0, resource.RLIMIT_FSIZE: 0}
        for kind, value in wanted.items():
            assert resource.prlimit(found.pid, kind) == (value, value)
        assert resource.prlimit(found.pid, resource.RLIMIT_CPU)[1] != resource.RLIM_INFINITY


def test_a_secret_of_the_parent_is_not_in_the_childs_memory(child: psutil.Process) -> None:
    """The patient's name is there while his picture is shown: what is looked for would be found."""
    secret = os.urandom(32)
    assert count_in_memory(os.getpid(), {"secret": secret})
    found = count_in_memory(child.pid, {"secret": secret, "name": PATIENT.name.encode()})
    assert "secret" not in found
    assert "name" in found
