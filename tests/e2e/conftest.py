"""One Chromium for each module of tests that asks for it, and copies of a vault that may be damaged.

A browser lives no longer than a module: while it runs, its event loop holds the thread, and other
tests need one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.browser import Browser, browser
from tests.e2e.readable import check_nothing_readable

AXE = Path(__file__).resolve().parents[1] / "tools" / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture(scope="module")
def chromium(tool: Callable[[str], str]) -> Iterator[Browser]:
    with browser(tool("chromium"), AXE) as found:
        yield found


@pytest.fixture
def kept(whole: Any, tmp_path: Path) -> Iterator[Any]:
    """A copy of the module's `whole`; whatever was done to it, nothing in it can be read
    afterwards."""
    kept = whole.copy(tmp_path)
    yield kept
    check_nothing_readable(kept.premises.root, kept.sent.values())
