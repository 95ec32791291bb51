"""Every fuzz target on what is kept for it and on mutations of that; the readers of a stranger's
first bytes for 20 seconds each. `make fuzz` looks for longer.

Each target runs in a process of its own: some make bounds of the code small.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).resolve().parent
READERS = ("age", "association", "multipart", "pdu", "peer", "walker")  # two read data units
SECONDS, INPUTS = 20, 400
LARGEST = 300_000  # bytes of all that is kept


def runner() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fuzz_runner", HERE / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


RUN = runner()
DEFECTS = RUN.load("defects").DEFECTS


def run(target: str, *words: str) -> subprocess.CompletedProcess[str]:
    """`python -m tests.fuzz.run`, always with the same inputs."""
    command = [sys.executable, "-m", "tests.fuzz.run", target, "--seed", "1", *words]
    return subprocess.run(
        command, cwd=HERE.parent.parent, capture_output=True, text=True, timeout=280, check=False
    )


@pytest.mark.parametrize("target", RUN.TARGETS)
def test_no_input_breaks_it(target: str) -> None:
    bound = ("--seconds", str(SECONDS)) if target in READERS else ("--inputs", str(INPUTS))
    done = run(target, "--seconds", "250", *bound)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: f"{defect.target}: {defect.name}")
def test_a_planted_defect_is_found(defect: object) -> None:
    """Within the inputs that the slowest target tries in 20 seconds or so: 40,000."""
    done = run(defect.target, "--defect", defect.name, "--seconds", "250", "--inputs", "40000")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "found after" in done.stdout, done.stdout + done.stderr


def test_each_reader_has_planted_defects_and_what_is_kept_is_small() -> None:
    assert {defect.target for defect in DEFECTS} == set(READERS)
    assert len({defect.name for defect in DEFECTS}) == len(DEFECTS)
    kept = [path for path in RUN.CORPUS.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in kept) < LARGEST
