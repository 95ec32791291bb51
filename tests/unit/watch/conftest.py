"""A store in memory, a clock that stands still, and a key for the journal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from serment.adapters.memory.clock import MemoryClock
from serment.adapters.memory.store import MemoryStore
from serment.core.crypto.secret import Seed
from serment.core.journal.entries import Entry
from serment.core.journal.log import entry_of

VAULT = "0123456789abcdef"


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def clock() -> MemoryClock:
    return MemoryClock()


@pytest.fixture
def key() -> Seed:
    return Seed(bytes(range(32)))


@pytest.fixture
def written(store: MemoryStore) -> Callable[[], list[Entry]]:
    """Everything the journal says so far."""
    return lambda: [entry for row in store.journal() if (entry := entry_of(row)) is not None]


@pytest.fixture
def details(written: Callable[[], list[Entry]]) -> Callable[[], list[dict[str, Any]]]:
    return lambda: [entry.details for entry in written()]
