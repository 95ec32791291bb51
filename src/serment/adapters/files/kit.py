"""Finds files that look like shares of a recovery kit where people leave them.

Looks at names only, never inside: a share of another practice counts too. Bounded: a few levels
below each place, a limited number of entries. What was encrypted, renamed or zipped is not found.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

DEPTH = 3  # levels below a place
ENTRIES = 10_000  # looked at below one place
SHARE = re.compile(r"serment-share-([1-3])-of-3\b.*\.(?:txt|pdf)", re.IGNORECASE)
FOLDERS = ("Desktop", "Bureau", "Documents", "Downloads", "Téléchargements")
MOUNTS = ("/media", "/run/media", "/mnt", "/Volumes")  # where a stick stays plugged in


def usual_places() -> list[Path]:
    """Where a kit is likely to lie forgotten: the user's own folders, and what is plugged in."""
    try:
        home = Path.home()
    except RuntimeError:  # a service without a home
        return [Path(mount) for mount in MOUNTS]
    return [*(home / folder for folder in FOLDERS), *map(Path, MOUNTS)]


def find_shares(places: Iterable[Path], depth: int = DEPTH) -> dict[Path, int]:
    """Files named like shares below these places, with the number of the share."""
    found: dict[Path, int] = {}
    for place in places:
        for entry in islice(_entries(place, depth), ENTRIES):
            named = SHARE.fullmatch(entry.name)
            if named is not None:
                found[Path(entry.path)] = int(named[1])
    return found


def _entries(folder: Path, depth: int) -> Iterator[os.DirEntry[str]]:
    """What lies in a folder, then what lies in those below; links and what is locked are left."""
    try:
        with os.scandir(folder) as entries:
            here = list(entries)
    except OSError:
        return
    yield from (entry for entry in here if entry.is_file(follow_symlinks=False))
    for entry in here if depth else ():
        if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
            yield from _entries(Path(entry.path), depth - 1)
