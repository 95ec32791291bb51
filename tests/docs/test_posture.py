"""docs/posture.md has a section of the same form for every check, and says what the code says."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from serment.core.exposure.posture.registry import CHECKS
from serment.core.exposure.posture.verdict import Check

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "posture.md").read_text(encoding="utf-8")
PARTS = ["What", "Why", "How", "Example", "Remedy", "Rule", "Limits"]


def section(check: Check) -> str:
    found = re.search(
        rf"^## {check.id} {re.escape(check.title)}\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S
    )
    assert found, f"docs/posture.md has no section {check.id} {check.title}"
    return found[1]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_each_check_has_its_section(check: Check) -> None:
    text = section(check)
    assert re.findall(r"^\*\*(\w+)\*\*:", text, re.M) == PARTS
    for part in re.split(r"^\*\*\w+\*\*:", text, flags=re.M)[1:]:
        assert len(part.split()) >= 6, f"{check.id}: {part!r} says too little"
    sheets = ", ".join(map(str, check.sheets))
    rule = f"GDPR Art. {check.article}; commandment {check.commandment}; CNIL sheets {sheets}."
    assert f"**Rule**: {rule}" in text


def test_no_section_is_about_a_check_that_is_gone() -> None:
    assert re.findall(r"^## (H[0-9]{2}) ", PAGE, re.M) == [check.id for check in CHECKS]


@pytest.fixture
def tool() -> ModuleType:
    """`tools/posture.py`."""
    spec = importlib.util.spec_from_file_location("posture", ROOT / "tools" / "posture.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_remedies_and_what_was_tried_are_those_of_the_code(tool: ModuleType) -> None:
    assert tool.filled(PAGE) == PAGE, "run tools/posture.py"


def test_a_change_in_the_code_is_found(tool: ModuleType) -> None:
    stale = PAGE.replace(CHECKS[0].remedies["linux"], "Nothing.").replace(
        "| none | none |", "| all | all |"
    )
    assert tool.filled(stale) == PAGE
