"""Every adapter of a port, as fixtures: a suite here runs on each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from serment.adapters.memory.packs import MemoryPacks
from serment.adapters.memory.store import MemoryStore
from serment.adapters.packs import LocalPacks
from serment.adapters.sqlite import SqliteStore
from serment.core.records.pack import BLOCK
from serment.ports import Packs, Store

PACK_LIMIT = 4096  # small, so that packs are rotated: three records of 1,000 bytes


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made: Any = (
        MemoryStore()
        if request.param == "memory"
        else SqliteStore(tmp_path / "vault.sqlite3", tmp_path / "keys.copy")
    )
    yield made
    made.close()


@pytest.fixture(params=["memory", "local"])
def make_packs(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Packs]:
    """Makes the packs of one vault, as each process does; in memory there is only one process."""
    if request.param == "memory":
        only = MemoryPacks(limit=PACK_LIMIT)
        return lambda: only
    return lambda: LocalPacks(tmp_path / "packs", limit=3 * BLOCK)


@pytest.fixture
def packs(make_packs: Callable[[], Packs]) -> Iterator[Packs]:
    made = make_packs()
    yield made
    made.close()
