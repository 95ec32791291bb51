"""One server with the fictional practice for all tests of this folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TESTS / "e2e"), str(TESTS / "unit" / "web")]

from demo_stage import Stage  # noqa: E402


@pytest.fixture(scope="package")
def one_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    stage = Stage(tmp_path_factory.mktemp("stage"))
    yield stage
    stage.server.close()


@pytest.fixture
def stage(one_stage: Stage) -> Stage:
    one_stage.renew()
    return one_stage
