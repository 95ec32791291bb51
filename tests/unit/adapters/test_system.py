"""The operating system does what the rest of the program relies on."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from datetime import UTC, timedelta
from pathlib import Path

import pytest

from serment.adapters import system
from serment.adapters.memory.clock import MemoryClock
from serment.errors import Conflict, NoSpace, Unavailable

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")


def run(code: str, *arguments: object) -> str:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_the_clock_is_aware_and_never_goes_back() -> None:
    clock = system.SystemClock()
    assert clock.now().tzinfo is UTC
    assert clock.monotonic() <= clock.monotonic()


def test_the_memory_clock_moves_when_told() -> None:
    clock = MemoryClock()
    before = clock.now()
    assert clock.now() == before
    clock.advance(90)
    assert clock.now() - before == timedelta(seconds=90)
    assert clock.monotonic() == 90


@pytest.mark.parametrize("number", ["ENOSPC", "EDQUOT", "EFBIG"])
def test_no_room_is_no_space(number: str) -> None:
    error = system.disk_error(OSError(getattr(errno, number), "x"))
    assert type(error) is NoSpace
    assert error.advice


@pytest.mark.parametrize("number", ["EIO", "EACCES", "EROFS"])
def test_other_errors_of_the_disk_say_what_the_system_said(number: str) -> None:
    error = system.disk_error(OSError(getattr(errno, number), "/a/path/we/do/not/print"))
    assert type(error) is Unavailable
    assert os.strerror(getattr(errno, number)) in str(error)
    assert "path" not in str(error)


@posix
def test_private_files_and_folders(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    system.make_private_folder(folder)
    system.make_private_folder(folder)
    system.write_private(folder / "key", b"one")
    system.write_private(folder / "key", b"two")
    assert (folder / "key").read_bytes() == b"two"
    assert [path.name for path in folder.iterdir()] == ["key"]
    assert (mode(folder), mode(folder / "key")) == (0o700, 0o600)
    assert not system.loose_permissions(folder)


@posix
def test_a_folder_that_others_can_read_is_closed_to_them(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    assert system.loose_permissions(folder)
    system.make_private_folder(folder)
    assert mode(folder) == 0o700


@posix
def test_private_umask() -> None:
    code = "import os, sys; from serment.adapters.system import private_umask; private_umask();"
    assert run(code + "print(oct(os.umask(0)))") == "0o77"


def test_writing_where_nothing_can_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "key").mkdir()
    with pytest.raises(Unavailable):
        system.write_private(tmp_path / "key", b"data")
    with pytest.raises(Unavailable):
        system.write_private(tmp_path / "absent" / "key", b"data")
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_creating_what_exists_is_refused(tmp_path: Path) -> None:
    os.close(system.create_private(tmp_path / "file"))
    with pytest.raises(FileExistsError):
        system.create_private(tmp_path / "file")


def test_buffers_are_written_one_after_the_other(tmp_path: Path) -> None:
    descriptor = system.create_private(tmp_path / "file")
    system.write_at(descriptor, [b"56", bytearray(b"7"), memoryview(b"89"), b""], 5)
    system.write_at(descriptor, [b"01234"], 0)
    system.write_at(descriptor, [], 3)
    assert system.read_at(descriptor, 100, 0) == b"0123456789"
    assert system.read_at(descriptor, 3, 4) == b"456"
    assert system.read_at(descriptor, 3, 50) == b""
    many = [bytes([number % 256]) for number in range(3000)]
    system.write_at(descriptor, many, 10)
    assert system.read_at(descriptor, 4000, 10) == b"".join(many)
    system.sync_file(descriptor)
    os.close(descriptor)


@pytest.mark.skipif(sys.platform != "linux", reason="the advice is Linux's")
def test_that_the_disk_does_not_begin_early_counts_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []

    def refuse(_descriptor: int, offset: int, size: int, _advice: int) -> None:
        asked.append((offset, size))
        raise OSError(errno.EINVAL, "no such advice here")

    monkeypatch.setattr(os, "posix_fadvise", refuse)
    descriptor = system.create_private(tmp_path / "file")
    system.start_writing_out(descriptor, 7, 4)
    assert asked == [(7, 4)]
    os.close(descriptor)


LOCK = """
import sys
from pathlib import Path
from serment.adapters.system import VaultLock
from serment.errors import Conflict
try:
    VaultLock(Path(sys.argv[1]))
    print("mine")
except Conflict:
    print("taken")
"""


def test_one_process_at_a_time_has_the_vault(tmp_path: Path) -> None:
    with system.VaultLock(tmp_path) as lock:
        assert run(LOCK, tmp_path) == "taken"
        with pytest.raises(Conflict):
            system.VaultLock(tmp_path)
        lock.release()
        lock.release()
        assert run(LOCK, tmp_path) == "mine"
    assert run(LOCK, tmp_path) == "mine"


@posix
def test_the_lock_lasts_as_long_as_a_child_that_was_handed_it(tmp_path: Path) -> None:
    lock = system.VaultLock(tmp_path)
    code = "import sys; print('ready', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=[lock.fileno()],
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        lock.release()
        with pytest.raises(Conflict):
            system.VaultLock(tmp_path)
        child.communicate(b"")
    system.VaultLock(tmp_path).release()


def test_a_lock_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        system.VaultLock(tmp_path / "absent")


@pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
def test_a_process_that_dies_leaves_no_memory_behind() -> None:
    code = """
import ctypes
from pathlib import Path
from serment.adapters.system import no_core_dumps
no_core_dumps()
limits = [line for line in Path("/proc/self/limits").read_text().splitlines() if "core" in line]
print(limits[0].split()[4:6], ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
"""
    assert run(code) == "['0', '0'] 0"


def test_free_bytes(tmp_path: Path) -> None:
    assert system.free_bytes(tmp_path) > 0


FOLLOWER = """
import os, signal, sys, time
from serment.adapters.system import die_with
parent = os.getpid()
if not os.fork():
    die_with(parent, signal.SIGKILL)
    print(os.getpid(), flush=True)
    time.sleep(60)
    os._exit(0)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux does it for us")
def test_a_process_follows_its_parent_however_that_ends() -> None:
    with subprocess.Popen([sys.executable, "-c", FOLLOWER], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert int(parent.stdout.readline())
        parent.kill()
        assert parent.stdout.read() == b""  # ends with the last process that has it
