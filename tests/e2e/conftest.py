"""One Chromium for each module of tests that asks for it.

No longer than a module: while it runs, its event loop holds the thread, and other tests need one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.e2e.browser import Browser, browser

AXE = Path(__file__).resolve().parents[1] / "tools" / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture(scope="module")
def chromium(tool: Callable[[str], str]) -> Iterator[Browser]:
    with browser(tool("chromium"), AXE) as found:
        yield found
