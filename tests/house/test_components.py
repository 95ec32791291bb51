"""A real component that is missing skips its tests on a developer's machine, and fails them in CI."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.components import lacking

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.parametrize(
    ("ci", "ends"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)]
)
def test_a_missing_component(monkeypatch: pytest.MonkeyPatch, ci: str, ends: type) -> None:
    monkeypatch.setenv("CI", ci)
    with pytest.raises(ends, match="no such thing"):
        lacking("no such thing here")


def test_ci_says_that_it_is_ci() -> None:
    assert "export CI=true" in (ROOT / ".ci" / "run").read_text()
