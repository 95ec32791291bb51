"""What a writer that died left in its packs: kept as far as it is whole, cut or voided beyond.

Only packs marked as under way are looked at, so a start takes no longer for a large vault; damage
to others is for `check` to report and never for us to cut away. No whole record is ever removed,
hence none that was acknowledged (see `group`): the tail behind the last whole record is cut, and
a hole before it, where the disk had stored later pages first, becomes a void.
"""

from __future__ import annotations

import os
from pathlib import Path

from serment.adapters import system
from serment.adapters.packs import files
from serment.core.records.pack import (
    HEAD_SIZE,
    Gap,
    ParsedRecord,
    build_void,
    has_its_digest,
    scan,
    unfinished,
)
from serment.errors import N_, Remark


def recover(root: Path) -> list[Remark]:
    """Mend every pack whose writer died; one line per repair."""
    repairs: list[Remark] = []
    for path, marker in files.left_open(root):
        try:
            repairs += _mend(path)
        except OSError as error:
            os.close(marker)
            raise system.disk_error(error) from error
        files.release(path, marker)
    return repairs


def _mend(path: Path) -> list[Remark]:
    if not path.exists():
        return []
    descriptor = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        items, size = _items(descriptor)
        gaps = [item for item in items if isinstance(item, Gap)]
        whole = len(items) - len(gaps)
        if whole:
            # Where a gap has no room for a void, one would touch what follows: `check` tells of it.
            roomy = [gap for gap in gaps if gap.end == size or gap.end - gap.start >= HEAD_SIZE]
            lines = [_close_gap(path.stem, descriptor, gap, size) for gap in roomy]
            system.sync_file(descriptor)
            return lines
    finally:
        os.close(descriptor)
    path.unlink()
    system.sync_folder(path.parent)
    return [unfinished(path.stem, size)] if size else []


def _items(descriptor: int) -> tuple[list[ParsedRecord | Gap], int]:
    """Records whose age file has its SHA-256, gaps, and the size of the pack."""
    read, size = files.reader(descriptor), files.size_of(descriptor)
    return list(scan(read, size, lambda record: has_its_digest(read, record))), size


def _close_gap(name: str, descriptor: int, gap: Gap, size: int) -> Remark:
    length = gap.end - gap.start
    if gap.end == size:
        os.ftruncate(descriptor, gap.start)
        cut = N_("pack {pack}: cut after its last whole record ({size} bytes)")
        return Remark(cut, pack=name, size=length)
    system.write_at(descriptor, [build_void(length)], gap.start)
    voided = N_("pack {pack}: {size} bytes at {start} held no record, voided")
    return Remark(voided, pack=name, size=length, start=gap.start)
