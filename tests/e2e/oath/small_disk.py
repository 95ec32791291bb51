"""A small disk for one test: a tmpfs, mounted by root, or in a namespace of its own by anybody.

Who may not mount runs the file again as `unshare` lets him: there he is root, and sees the disk. Where
the kernel grants neither, the tests of that file fail in CI and are skipped elsewhere.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.components import lacking

INSIDE = "SERMENT_TESTS_IN_A_NAMESPACE"
UNSHARE = ["unshare", "--user", "--map-root-user", "--mount"]
NO_MOUNT = (
    "a small disk (tmpfs) can be mounted here neither by this user nor in a namespace of its own "
    "(unshare --user --mount): run the tests as root, or allow user namespaces"
)
TIMEOUT = 600


@dataclass
class Disk:
    """A disk of its own for a vault, of which the most is taken away and given back."""

    folder: Path

    @property
    def _filler(self) -> Path:
        return self.folder / "filler"

    def free(self) -> int:
        return os.statvfs(self.folder).f_bavail * os.statvfs(self.folder).f_frsize

    def fill(self, leave: int) -> None:
        with self._filler.open("ab") as file:
            file.write(bytes(max(0, self.free() - leave)))

    def empty(self) -> None:
        self._filler.unlink(missing_ok=True)


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Disk]:
    """A tmpfs of so many bytes."""
    folder.mkdir()
    if not _mounted(folder, size):
        if _may(*UNSHARE, "true"):
            pytest.skip("done in a namespace of its own")  # by `run_in_a_namespace`
        lacking(NO_MOUNT)
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def run_in_a_namespace(file: str, folder: Path) -> None:
    """Run the tests of that file where this user may mount; nothing where he may anyhow."""
    if os.environ.get(INSIDE) or _may_mount(folder):
        pytest.skip("this user may mount: not needed")
    if not _may(*UNSHARE, "true"):
        lacking(NO_MOUNT)
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", file]
    done = subprocess.run(
        [*UNSHARE, *command],
        env={**os.environ, INSIDE: "1"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def _may_mount(folder: Path) -> bool:
    if not _mounted(folder, 1 << 20):
        return False
    subprocess.run(["umount", "-l", str(folder)], check=True)
    return True


def _mounted(folder: Path, size: int) -> bool:
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", str(folder)]
    return _may(*mount)


def _may(*command: str) -> bool:
    if sys.platform != "linux" or shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
