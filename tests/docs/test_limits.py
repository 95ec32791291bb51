"""docs/limits.md states the limits that the code has, and its tests exist."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
UNITS = {"": 1, " KiB": 1 << 10, " MiB": 1 << 20, " GiB": 1 << 30, " Mi": 1 << 20}
VALUE = re.compile(r"`(\w+) = ([\d,.]+)( KiB| MiB| GiB| Mi|)`")
ROWS = [
    line
    for line in (ROOT / "docs/limits.md").read_text(encoding="utf-8").splitlines()
    if VALUE.search(line)
]


def stated(row: str) -> dict[str, float]:
    return {n: float(v.replace(",", "")) * UNITS[unit] for n, v, unit in VALUE.findall(row)}


def in_code(path: str) -> dict[str, Any]:
    """Constants of a module, and defaults of its dataclasses."""
    module = import_module("serment." + path.removesuffix(".py").replace("/", "."))
    found = dict(vars(module))
    for value in list(found.values()):
        if is_dataclass(value) and value.__module__ == module.__name__:
            found |= {field.name: field.default for field in fields(value)}
    return found


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_a_limit_is_that_of_the_code(row: str) -> None:
    where, shown_by = row.split("|")[5:7]
    (path,) = re.findall(r"`([\w/]+\.py)`", where)
    code = in_code(path)
    assert {name: float(code[name]) for name in stated(row)} == stated(row)
    tests = re.findall(r"`(tests/[\w/]+\.py)`", shown_by)
    assert tests
    assert [name for name in tests if not (ROOT / name).is_file()] == []


def test_every_limit_of_who_listens_is_stated() -> None:
    """Whoever adds one to these says it to people, too."""
    said = {name for row in ROWS for name in stated(row)}
    for path in ("entrypoints/dimse/limits.py", "entrypoints/intake/server.py"):
        own = {n for n, v in in_code(path).items() if isinstance(v, int | float) and n.islower()}
        assert own - said <= {"stop_seconds", "whole_reads", "flush_bytes"}, path


def test_every_limit_of_a_helper_is_stated() -> None:
    said = {name for row in ROWS for name in stated(row)}
    assert {name for name in in_code("adapters/peer/limits.py") if name.isupper()} <= said
