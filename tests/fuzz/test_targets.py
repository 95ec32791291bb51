"""Runs every fuzz target for a moment, always on the same inputs; `make fuzz` looks for longer."""

from __future__ import annotations

import importlib.util
from itertools import islice
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).resolve().parent
INPUTS = 400  # whole seeds and what once failed, then mutations of them


def runner() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fuzz_runner", HERE / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


RUN = runner()


@pytest.mark.parametrize("target", RUN.TARGETS)
def test_no_input_breaks_it(target: str) -> None:
    module = RUN.load(target)
    for data in islice(RUN.inputs(module, target, seed=1), INPUTS):
        module.fuzz_one(data)
