"""What the operating system does for us: the time, durable files, private files, one lock.

What only some systems have (fdatasync, F_FULLFSYNC, flock, rlimits) is used where it is there and
replaced by the portable way elsewhere. Decides nothing about what is written.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from serment.errors import N_, Conflict, NoSpace, SermentError, Unavailable

FILE_MODE = 0o600
FOLDER_MODE = 0o700
OUT_OF_SPACE = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
LOCK_NAME = "lock"
_LOCK_BYTE = 1 << 30  # far beyond any content: locks on Windows forbid reading what they cover
_LOOK_SECONDS = 0.02  # at a lock that somebody else has
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE = 1, 4  # Linux, prctl(2)

_BINARY = getattr(os, "O_BINARY", 0)

Buffer = bytes | bytearray | memoryview


class SystemClock:
    """The only place that reads the clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


def disk_error(error: OSError) -> SermentError:
    """The error of ours that says what the system said: `NoSpace` or `Unavailable`."""
    if error.errno in OUT_OF_SPACE:
        return NoSpace(
            N_("the disk that holds the vault is full"),
            hint=N_("free some space; what was acknowledged is safe, receiving resumes by itself"),
        )
    return Unavailable(
        N_("the vault's disk does not answer as it should: {reason}"),
        hint=N_("check the disk and the permissions of the vault's folder, then `serment doctor`"),
        reason=os.strerror(error.errno) if error.errno else type(error).__name__,
    )


def no_core_dumps() -> None:
    """Forbid core dumps of this process: they would hold open keys.

    Linux: also not dumpable, since a limit of 0 does not stop dumps that are piped to a program
    (core(5)).
    """
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def die_with(parent: int, by: int) -> None:
    """Linux: from now on the system ends this process with the signal `by` when its parent ends,
    however that comes; at once if it has ended already."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, by, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), by)


def private_umask() -> None:
    """Whatever this process creates from now on is for its own user only."""
    os.umask(0o077)


def make_private_folder(path: Path) -> None:
    """Make the folder and its parents (0700), and sync the folder it was made in.

    One that exists is closed to others too, where its disk can say so.
    """
    if path.is_dir():
        with contextlib.suppress(OSError):
            if loose_permissions(path):
                path.chmod(FOLDER_MODE)
        return
    try:
        for missing in reversed([each for each in (path, *path.parents) if not each.exists()]):
            missing.mkdir(mode=FOLDER_MODE, exist_ok=True)
            missing.chmod(FOLDER_MODE)
            sync_folder(missing.parent)
    except OSError as error:
        raise disk_error(error) from error


def create_private(path: Path, flags: int = os.O_RDWR) -> int:
    """Create a file (0600) that must not exist, and return its descriptor.

    Raises:
        FileExistsError: it exists.
    """
    return os.open(path, flags | os.O_CREAT | os.O_EXCL | _BINARY, FILE_MODE)


def write_private(path: Path, data: bytes) -> None:
    """Replace a file by `data` (0600), atomically and durably."""
    fresh = path.with_name(path.name + ".new")
    try:
        fresh.unlink(missing_ok=True)
        descriptor = create_private(fresh)
        try:
            write_at(descriptor, [data], 0)
            sync_file(descriptor)
        finally:
            os.close(descriptor)
        fresh.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise disk_error(error) from error


def write_new(path: Path, data: bytes) -> None:
    """Write a file (0600) that must not exist yet, durably; whole or not at all.

    Raises:
        Conflict: it exists; it is left as it is.
    """
    try:
        descriptor = create_private(path)
    except FileExistsError as error:
        raise Conflict(
            N_("{path} exists already"), hint=N_("choose another name"), path=str(path)
        ) from error
    except OSError as error:
        raise disk_error(error) from error
    try:
        try:
            write_at(descriptor, [data], 0)
            sync_file(descriptor)
        finally:
            os.close(descriptor)
        sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        raise disk_error(error) from error


def copy_private(source: Path, target: Path) -> None:
    """Copy a file to one that must not exist (0600), durably but for its name.

    Raises:
        OSError: as the system says; what was written of the target stays.
    """
    descriptor = create_private(target)
    with source.open("rb") as reading, os.fdopen(descriptor, "wb") as writing:
        shutil.copyfileobj(reading, writing, 1 << 20)
        writing.flush()
        sync_file(writing.fileno())


def open_to_read(path: Path) -> int:
    """A descriptor that reads."""
    return os.open(path, os.O_RDONLY | _BINARY)


def write_at(descriptor: int, buffers: Sequence[Buffer], offset: int) -> None:
    """Write all the buffers one after the other at `offset`, whatever the file's position.

    Safe for several threads on one descriptor where the system has pwrite.

    Raises:
        OSError: as the system says; part of it may have been written.
    """
    rest = [memoryview(b).cast("B") for b in buffers if len(b)]
    while rest:
        done = _write_some(descriptor, rest, offset)
        offset += done
        while rest and done >= len(rest[0]):
            done -= len(rest.pop(0))
        if done:
            rest[0] = rest[0][done:]


if sys.platform == "linux":

    def start_writing_out(descriptor: int, offset: int, size: int) -> None:
        """The disk begins with these bytes now, while more arrives, so that the flush that follows finds less to
        do. The advice (fadvise(2)) drops what is written out already, never what is not; it says
        nothing about whether it will be: that is the flush's answer."""
        with contextlib.suppress(OSError):
            os.posix_fadvise(descriptor, offset, size, os.POSIX_FADV_DONTNEED)

else:

    def start_writing_out(descriptor: int, offset: int, size: int) -> None:
        """Left to the flush."""


if hasattr(os, "pwritev"):

    def _write_some(descriptor: int, buffers: Sequence[memoryview], offset: int) -> int:
        return os.pwritev(descriptor, buffers[:64], offset)

elif hasattr(os, "pwrite"):

    def _write_some(descriptor: int, buffers: Sequence[memoryview], offset: int) -> int:
        return os.pwrite(descriptor, buffers[0], offset)

else:
    import threading

    _position = threading.Lock()

    def _write_some(descriptor: int, buffers: Sequence[memoryview], offset: int) -> int:
        with _position:
            os.lseek(descriptor, offset, os.SEEK_SET)
            return os.write(descriptor, buffers[0])


def read_at(descriptor: int, size: int, offset: int) -> bytes:
    """Up to `size` bytes at `offset`; fewer only where the file ends."""
    if hasattr(os, "pread"):
        found = os.pread(descriptor, size, offset)
        while found and len(found) < size:
            more = os.pread(descriptor, size - len(found), offset + len(found))
            if not more:
                break
            found += more
        return found
    os.lseek(descriptor, offset, os.SEEK_SET)
    return os.read(descriptor, size)


def sync_file(descriptor: int) -> None:
    """Return once what was written is on the disk itself, not only in its cache.

    macOS: fsync leaves it in the drive's cache, F_FULLFSYNC does not (fcntl(2)).
    """
    if sys.platform == "darwin":
        import fcntl

        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    elif hasattr(os, "fdatasync"):
        os.fdatasync(descriptor)
    else:
        os.fsync(descriptor)


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable; nothing to do where folders cannot be opened."""
    if sys.platform == "win32":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def free_bytes(path: Path) -> int:
    """Bytes that this user can still write on the disk that holds `path`."""
    return shutil.disk_usage(path).free


def loose_permissions(path: Path) -> bool:
    """Whether somebody other than the owner may read or write it (never on Windows)."""
    return sys.platform != "win32" and bool(path.stat().st_mode & 0o077)


def owned(path: Path) -> bool:
    """Whether this user owns it (always on Windows)."""
    return sys.platform == "win32" or path.stat().st_uid == os.geteuid()


def try_lock(descriptor: int) -> bool:
    """Take an exclusive lock that ends with the descriptor and all its copies; False if taken."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(descriptor, _LOCK_BYTE, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN, errno.EDEADLK):
            return False
        raise
    return True


@contextlib.contextmanager
def turn(path: Path, seconds: float) -> Iterator[None]:
    """Hold the exclusive lock of the file `path` (empty, made 0600 when missing) for a block; who
    comes meanwhile, from this process too, waits.

    Raises:
        Unavailable: it was not free for that long, or the disk said no; NoSpace.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | _BINARY, FILE_MODE)
    except OSError as error:
        raise disk_error(error) from error
    try:
        _wait_for_lock(descriptor, path, time.monotonic() + seconds)
        yield
    finally:
        os.close(descriptor)


def _wait_for_lock(descriptor: int, path: Path, deadline: float) -> None:
    try:
        while not try_lock(descriptor):
            if time.monotonic() >= deadline:
                raise Unavailable(
                    N_("{file} has been locked by another Serment process for too long"),
                    hint=N_("try again; if it lasts, see which Serment processes are running"),
                    file=path.name,
                )
            time.sleep(_LOOK_SECONDS)
    except OSError as error:
        raise disk_error(error) from error


class VaultLock:
    """The exclusive lock of a vault's folder: one server, or one command, at a time.

    It lasts as long as any process holds a copy of the descriptor: a supervisor that passes
    `fileno()` to its children keeps the vault locked until the last of them has ended.

    Raises:
        Conflict: somebody else has it.
    """

    def __init__(self, folder: Path) -> None:
        try:
            flags = os.O_RDWR | os.O_CREAT | _BINARY
            self._descriptor = os.open(folder / LOCK_NAME, flags, FILE_MODE)
        except OSError as error:
            raise disk_error(error) from error
        if not try_lock(self._descriptor):
            os.close(self._descriptor)
            raise Conflict(
                N_("another Serment process is using this vault"),
                hint=N_("let it finish, or stop it, then try again"),
            )

    def fileno(self) -> int:
        """The descriptor to hand to children that work on the vault."""
        return self._descriptor

    def release(self) -> None:
        """Let others have it; twice is fine."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> VaultLock:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
