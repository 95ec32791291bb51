"""Rules as tables that people read: parsed here, held against the code, written to docs/spec.

`WRITE_SPEC=1 pytest tests/spec` writes the pages anew; without it, a page that differs from its
tables fails.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

PAGES = Path(__file__).resolve().parent.parent.parent / "docs" / "spec"


def table(text: str) -> list[dict[str, str]]:
    """The rows of a Markdown table by column, empty cells as ""."""
    lines = [line.strip().strip("|") for line in text.strip().splitlines()]
    columns = [cell.strip() for cell in lines[0].split("|")]
    rows = [[cell.strip() for cell in line.split("|")] for line in lines[2:]]
    assert all(len(row) == len(columns) for row in rows), "a row has another number of cells"
    return [dict(zip(columns, row, strict=True)) for row in rows]


@pytest.fixture
def fresh() -> Callable[[str, str], None]:
    """`fresh("filing.md", text)`: docs/spec/filing.md is exactly that text."""

    def check(name: str, text: str) -> None:
        path = PAGES / name
        if os.environ.get("WRITE_SPEC") == "1":
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        written = path.read_text(encoding="utf-8") if path.is_file() else ""
        assert written == text, f"docs/spec/{name} is not fresh: WRITE_SPEC=1 pytest tests/spec"

    return check


@pytest.fixture
def read_table() -> Callable[[str], list[dict[str, str]]]:
    return table
