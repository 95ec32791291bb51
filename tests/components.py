"""What a test does where a real component is missing: it is skipped with the reason; in CI it fails."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def lacking(reason: str) -> NoReturn:
    """End the test that cannot be run here: CI must never pass by not running."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
