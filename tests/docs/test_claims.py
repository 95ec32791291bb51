"""The tests that documents name exist, and each line about an attacker or an attack names one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
TEST = re.compile(r"`(tests/[\w/.]+)`")


@pytest.mark.parametrize("name", ["threat-model", "hostile-input", "limits"])
def test_the_tests_it_names_exist(name: str) -> None:
    named = set(TEST.findall((ROOT / f"docs/{name}.md").read_text(encoding="utf-8")))
    assert named
    assert sorted(path for path in named if not (ROOT / path).exists()) == []


@pytest.mark.parametrize(
    ("name", "header", "lines"),
    [("threat-model", "| attacker | gets |", 9), ("hostile-input", "| case | what happens |", 21)],
)
def test_each_line_names_a_test(name: str, header: str, lines: int) -> None:
    text = (ROOT / f"docs/{name}.md").read_text(encoding="utf-8")
    rows = text[text.index(header) :].split("\n\n")[0].splitlines()[2:]
    assert len(rows) >= lines
    assert [row for row in rows if not TEST.search(row.split("|")[-2])] == []
