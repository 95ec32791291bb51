"""Reads the memory of a running process, as root may, and counts what is in it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.components import lacking

_APART = ("[vvar]", "[vsyscall]", "[vvar_vclock]")  # pages of the kernel: they cannot be read


def count_in_memory(pid: int, wanted: Mapping[str, bytes]) -> dict[str, int]:
    """How often each value stands in the memory of a process; absent ones have no key. Skips, or
    fails in CI, where this process may not look."""
    if sys.platform != "linux":
        pytest.skip("only Linux shows the memory of another process as a file")
    found: dict[str, int] = {}
    try:
        maps = Path(f"/proc/{pid}/maps").read_text()
        with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
            for start, stop in _readable(maps):
                try:
                    memory.seek(start)
                    data = memory.read(stop - start)
                except OSError:  # a mapping that went meanwhile
                    continue
                for name, value in wanted.items():
                    if times := data.count(value):
                        found[name] = found.get(name, 0) + times
    except PermissionError:
        lacking("only root may read the memory of another process here: run the tests as root")
    return found


def _readable(maps: str) -> list[tuple[int, int]]:
    ranges = []
    for line in maps.splitlines():
        where, rights, *_ = line.split()
        if rights.startswith("r") and not line.endswith(_APART):
            start, _, stop = where.partition("-")
            ranges.append((int(start, 16), int(stop, 16)))
    return ranges
