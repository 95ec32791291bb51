"""Keeps for a target what its corpus lacks: `python -m tests.fuzz.keep walker FOLDER`.

Of the inputs of FOLDER (from `guided`), smallest first, those that make the code under test go
from one line to another as no seed and no kept input does.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from tests.fuzz import run

CODE = "/src/serment/"
LARGEST = 4096  # bytes of an input worth keeping
Arc = tuple[str, int, int]


def arcs(act: Callable[[], object]) -> set[Arc]:
    """The steps from line to line that `act` makes in the code under test."""
    found: set[Arc] = set()

    def enter(frame: FrameType, _event: str, _arg: object) -> Any:
        name, before = frame.f_code.co_filename, 0
        if CODE not in name:
            return None

        def step(inner: FrameType, event: str, _arg: object) -> Any:
            nonlocal before
            if event == "line":
                found.add((name, before, inner.f_lineno))
                before = inner.f_lineno
            return step

        return step

    sys.settrace(enter)
    try:
        act()
    finally:
        sys.settrace(None)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", choices=run.TARGETS)
    parser.add_argument("folder", type=Path)
    asked = parser.parse_args()
    module = run.load(asked.target)
    reached: set[Arc] = set()
    for data in run.starts(module, asked.target):
        reached |= arcs(lambda data=data: module.fuzz_one(data))  # type: ignore[misc]
    before, kept = len(reached), 0
    found = {path.read_bytes() for path in asked.folder.iterdir() if path.is_file()}
    for data in sorted(found, key=lambda one: (len(one), one)):
        if len(data) > LARGEST:
            break
        new = arcs(lambda data=data: module.fuzz_one(data)) - reached  # type: ignore[misc]
        if new:
            reached |= new
            kept += 1
            run.keep_input(asked.target, data)
    print(f"{asked.target}: {before} steps before, {len(reached)} now, {kept} inputs kept")


if __name__ == "__main__":
    main()
