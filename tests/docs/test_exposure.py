"""docs/exposure.md has one section per check, in the fixed form, with the law as the code has it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from serment.core.exposure.ports import COMMON
from serment.core.exposure.registry import CHECKS
from serment.core.exposure.scope import ASK_ABOVE
from serment.core.exposure.titles import USUAL_TITLES

PAGE = (Path(__file__).parent.parent.parent / "docs" / "exposure.md").read_text(encoding="utf-8")
PARTS = ("What", "Why it matters", "How it is detected", "Example", "Remedy", "Limits")
SECTIONS = dict(re.findall(r"^### (.+)\n((?:(?!^##).*\n?)*)", PAGE, re.MULTILINE))


def test_every_check_has_its_section_and_every_section_its_check() -> None:
    assert list(SECTIONS) == [f"{each.id} {each.name}" for each in CHECKS.values()]


@pytest.mark.parametrize("name", CHECKS)
def test_the_form_is_fixed(name: str) -> None:
    check = CHECKS[name]
    body = SECTIONS[f"{check.id} {check.name}"]
    law = f"*{'; '.join(check.articles)}; commandment {check.commandment}*"
    assert law in body
    paragraphs = [each for each in body.replace(law, "").split("\n\n") if each.strip()]
    assert [each.strip().partition(".**")[0].removeprefix("**") for each in paragraphs] == [*PARTS]
    assert all(len(each.partition(".**")[2].strip()) > 15 for each in paragraphs)


def test_numbers_are_the_codes() -> None:
    text = " ".join(PAGE.split())
    assert f"more than {ASK_ABOVE:,} addresses" in text
    assert 50 < len(USUAL_TITLES) < 70
    assert "Some 60 usual titles" in text
    assert 120 <= len(COMMON) < 140
    assert "some 130 ports" in text
