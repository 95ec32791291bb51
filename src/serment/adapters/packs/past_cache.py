"""Writing past the system's cache: the disk takes whole pages from the caller's own memory.

For what is synced at once anyway: the cache would only cost a copy, and keep nothing that anybody
reads soon. Where the system or the disk cannot, or fails, the caller writes as always, and the flush
tells. Source: open(2), O_DIRECT.
"""

from __future__ import annotations

import mmap
import os
import sys
from pathlib import Path

from serment.adapters import system


def page_memory(size: int) -> memoryview:
    """Zeroed memory of this process that begins at a page.

    Raises:
        MemoryError: there is none.
    """
    try:
        if sys.platform == "win32":
            return memoryview(mmap.mmap(-1, size))
        return memoryview(mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
    except OSError as error:
        raise MemoryError from error


def open_past_cache(path: Path) -> int | None:
    """A second descriptor of a file, to write to it past the cache; None where that cannot be."""
    past_cache = getattr(os, "O_DIRECT", 0)
    try:
        return os.open(path, os.O_WRONLY | past_cache) if past_cache else None
    except OSError:
        return None


def write_past_cache(descriptor: int | None, record: system.Buffer, offset: int) -> bool:
    """Whether it was written; on the disk itself only after `sync_file`, as anything else.

    Args:
        record: whole pages, at a page in memory and in the file; others are not written.

    Raises:
        OSError: the disk is full; part of it may have been written.
    """
    if descriptor is None:
        return False
    try:
        system.write_at(descriptor, [record], offset)
    except OSError as error:
        if error.errno in system.OUT_OF_SPACE:
            raise
        return False  # this disk asks for more than whole pages (EINVAL), or something is wrong
    return True
