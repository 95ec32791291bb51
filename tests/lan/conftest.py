"""One network for all modules of a session; each starts, audits and ends its own machines in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.lan.lan import Lan, network


@pytest.fixture(scope="session")
def lan() -> Iterator[Lan]:
    """See `tests.lan.lan`."""
    with network() as found:
        yield found
