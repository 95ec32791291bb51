"""The scene of these tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.peer.helpers import Scene
from tests.unit.peer.helpers import scene as made


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """See `helpers.Scene`."""
    with made(tmp_path) as found:
        yield found
