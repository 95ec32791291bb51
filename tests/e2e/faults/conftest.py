"""One founded vault for the whole folder; every test works on a copy of its own."""

from __future__ import annotations

import pytest
from tests.e2e.oath.premises import Premises, found


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Premises:
    """Never changed: copy it."""
    return found(tmp_path_factory.mktemp("founded"))
