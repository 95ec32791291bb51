"""Reads every byte of a folder, file names included; decides nothing about what they mean.

Symbolic links are named but not followed; sockets and pipes have no bytes. A file that vanishes
while the folder is read (a finished journal, a temporary file) is left out.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from serment.errors import N_, Unavailable

CHUNK = 1 << 20  # bytes read at once
NAMES = "(file names)"


def walk(root: Path, chunk_bytes: int = CHUNK) -> Iterator[tuple[str, Iterator[bytes]]]:
    """(label, chunks) of the names below `root`, then of each file, in the order of their paths.

    Labels are paths relative to `root`. Raises `Unavailable` for what may not be read: a search
    that leaves something out must say so.
    """
    paths = sorted(_paths(root))
    yield NAMES, iter([b"\n".join(os.fsencode(path.relative_to(root)) for path in paths)])
    for path in paths:
        if path.is_file() and not path.is_symlink():
            yield str(path.relative_to(root)), _chunks(path, chunk_bytes)


def _paths(root: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            raise _unreadable(error) from error

    for folder, folders, names in os.walk(root, onerror=refuse):
        yield from (Path(folder, name) for name in (*folders, *names))


def _chunks(path: Path, chunk_bytes: int) -> Iterator[bytes]:
    try:
        with suppress(FileNotFoundError), path.open("rb", buffering=0) as file:
            while chunk := file.read(chunk_bytes):
                yield chunk
    except OSError as error:
        raise _unreadable(error) from error


def _unreadable(error: OSError) -> Unavailable:
    return Unavailable(
        N_("a file cannot be read: {reason}"),
        hint=N_("search as the user that owns the folder, or as administrator"),
        reason=error.strerror or "",
    )
