"""Where packs are and which are being written: `packs/NN/<name>.pack`, NN = the name's start.

A pack under way has an empty companion `<name>.open`, locked by its writer and removed when the
pack is closed: what carries one and is not locked was left by a process that died. Decides
nothing about what is inside a pack.
"""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from serment.adapters import system
from serment.core.crypto.entropy import new_id
from serment.core.records.pack import ReadAt
from serment.errors import N_, IntegrityError

PACK = ".pack"
OPEN = ".open"
NAME = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class NewPack:
    """A pack just created: empty, durable as a name, marked and locked as being written."""

    name: str
    path: Path
    descriptor: int
    marker: int


def path_of(root: Path, name: str) -> Path:
    """The file of a pack; `IntegrityError` for what is no pack's name, so no path ever escapes."""
    if not NAME.fullmatch(name):
        raise IntegrityError(
            N_("a row names a pack that cannot exist"),
            hint=N_("run `serment doctor`"),
        )
    return root / name[:2] / (name + PACK)


def marker_of(path: Path) -> Path:
    return path.with_suffix(OPEN)


def create(root: Path) -> NewPack:
    """Create a pack under a random name; its folder is synced before this returns.

    Raises:
        OSError: as the system says; nothing is left behind.
    """
    while True:
        name = new_id()
        path = path_of(root, name)
        system.make_private_folder(path.parent)
        marker = system.create_private(marker_of(path))
        # A process that recovers just now may have taken the mark for one left behind.
        if system.try_lock(marker) and marker_of(path).exists():
            break
        os.close(marker)
    descriptor = -1
    try:
        descriptor = system.create_private(path)
        system.sync_folder(path.parent)
    except OSError:
        discard(path, descriptor, marker)
        raise
    return NewPack(name, path, descriptor, marker)


def close(pack: NewPack) -> None:
    """The pack is complete and synced: it is not under way any more."""
    os.close(pack.descriptor)
    release(pack.path, pack.marker)


def release(path: Path, marker: int) -> None:
    """Take the mark of "under way" away. Not synced: a mark that comes back costs a check only.

    Closed first: Windows deletes no open file.
    """
    os.close(marker)
    with contextlib.suppress(OSError):
        marker_of(path).unlink(missing_ok=True)


def abandon(pack: NewPack) -> None:
    """Write no more to a pack that failed; the mark stays, so that the next start mends it."""
    for descriptor in (pack.descriptor, pack.marker):
        with contextlib.suppress(OSError):
            os.close(descriptor)


def discard(path: Path, descriptor: int, marker: int) -> None:
    """Delete a pack of which nothing may stay."""
    if descriptor >= 0:
        os.close(descriptor)
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
    release(path, marker)


def all_paths(root: Path) -> list[Path]:
    """Every pack, oldest last change first."""
    found = []
    for path in root.glob("[0-9a-f][0-9a-f]/*" + PACK):
        with contextlib.suppress(FileNotFoundError):
            if NAME.fullmatch(path.stem):
                found.append((path.stat().st_mtime_ns, path.stem, path))
    return [path for _, _, path in sorted(found)]


def under_way(path: Path) -> bool:
    """Whether a living process is writing this pack: what it reserved may not be written yet."""
    try:
        descriptor = os.open(marker_of(path), os.O_RDWR)
    except OSError:
        return False
    try:
        return not system.try_lock(descriptor)
    finally:
        os.close(descriptor)


def left_open(root: Path) -> list[tuple[Path, int]]:
    """Packs whose writer died, each with the descriptor of its mark, which we now hold."""
    left = []
    for marker in sorted(root.glob("[0-9a-f][0-9a-f]/*" + OPEN)):
        try:
            descriptor = os.open(marker, os.O_RDWR)
        except FileNotFoundError:
            continue
        if system.try_lock(descriptor):
            left.append((marker.with_suffix(PACK), descriptor))
        else:
            os.close(descriptor)
    return left


def reader(descriptor: int) -> ReadAt:
    """How `core.records.pack` reads an open pack."""
    return lambda offset, size: system.read_at(descriptor, size, offset)


def size_of(descriptor: int) -> int:
    return os.fstat(descriptor).st_size
