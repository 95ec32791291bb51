"""Whether bytes of a deleted wrap are left anywhere in a vault's files."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

PIECE = 16  # bytes: a remnant of twice as many holds a whole piece, wherever it begins

Wrap = tuple[str, str, str, int]


def wraps(root: Path) -> dict[Wrap, bytes]:
    """The wraps of a vault as its database has them now."""
    with closing(sqlite3.connect(root / "vault.sqlite3")) as database:
        rows = database.execute("SELECT kind, subject, recipient, epoch, blob FROM wrap").fetchall()
    return {row[:4]: row[4] for row in rows}


def left_of(blobs: Iterable[bytes], contents: Iterable[bytes]) -> int:
    """How many of them have a piece in these contents."""
    data = b"\0".join(contents)
    return sum(any(piece in data for piece in _pieces(blob)) for blob in blobs)


def left_in(blobs: Iterable[bytes], root: Path) -> int:
    """The same, of every file under the folder: database, log, copy of the keys, all others."""
    return left_of(blobs, [path.read_bytes() for path in root.rglob("*") if path.is_file()])


def _pieces(blob: bytes) -> list[bytes]:
    return [blob[start : start + PIECE] for start in range(0, len(blob) - PIECE + 1, PIECE)]
