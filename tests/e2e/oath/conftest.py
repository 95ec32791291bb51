"""One founded vault for the whole folder; every test works on a copy of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.e2e.oath.premises import Premises, found


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each file goes to one worker, in its order: its tests share what costs seconds to make."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.xdist_group(f"oath {item.path.stem}"))


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Premises:
    """Never changed: copy it."""
    return found(tmp_path_factory.mktemp("founded"))


@pytest.fixture
def premises(founded: Premises, tmp_path: Path) -> Premises:
    """A vault for one test."""
    return founded.copy(tmp_path)
