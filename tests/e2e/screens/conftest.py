"""One real server with the demonstration's studies for all these tests, and the door to its pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.e2e.browser import Browser
from tests.e2e.screens.premises import Premises, premises
from tests.e2e.screens.walk import Door

from serment.app.prove.bytesearch import Search
from serment.app.prove.forms import Planted
from serment.entrypoints.demo.studies import manifest


@pytest.fixture(scope="session")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Premises]:
    with premises(tmp_path_factory.mktemp("screens")) as made:
        yield made


@pytest.fixture(scope="session")
def planted() -> Search:
    """Finds every identifier of the fictional patients, in every form it may take."""
    return Search([Planted(**entry) for entry in manifest()])


@pytest.fixture(scope="module")
def door(chromium: Browser, practice: Premises, planted: Search) -> Door:
    return Door(chromium, practice, planted)
