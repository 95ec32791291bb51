"""Makes the helpers of this folder importable: the fictional practice, the small ASGI client."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import pytest
from web_client import Client


@pytest.fixture
def client() -> Client:
    """Nobody is signed in."""
    return Client()


@pytest.fixture
def doctor() -> Client:
    """A doctor of the circle "care", who is an administrator too."""
    client = Client()
    assert client.sign_in().status == 303
    return client
