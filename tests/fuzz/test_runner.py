"""The fuzz runner reports what fails, says how to see it again and keeps the input."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


def runner() -> ModuleType:
    path = Path(__file__).resolve().parent / "run.py"
    spec = importlib.util.spec_from_file_location("fuzz_run", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_failure_is_reported_and_its_input_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run, broken = runner(), ModuleType("broken")
    broken.fuzz_one = lambda data: 1 / 0
    monkeypatch.setattr(run, "CORPUS", tmp_path)
    monkeypatch.setattr(run, "load", lambda target: broken)
    monkeypatch.setattr(sys, "argv", ["run", "walker", "--seconds", "1", "--seed", "7"])
    assert run.main() == 1
    assert "seed 7" in capsys.readouterr().out
    assert [path.read_bytes() for path in (tmp_path / "walker").iterdir()] == [b""]


def test_the_same_seed_gives_the_same_inputs() -> None:
    run = runner()
    module = run.load("query")
    first, again = run.inputs(module, "query", 1), run.inputs(module, "query", 1)
    assert [next(first) for _ in range(50)] == [next(again) for _ in range(50)]
