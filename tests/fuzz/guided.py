"""Runs one fuzz target under Atheris, which keeps and changes what reaches new code.

`python -m tests.fuzz.guided walker FOLDER --seconds 600`: FOLDER gets the inputs that reached
something new, `tests.fuzz.keep` takes from it what the kept corpus lacks. Needs Atheris (Linux on
x86-64); elsewhere `tests.fuzz.run` searches without looking at what is reached.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.fuzz import run

# What the targets lead into; instrumented, the rest would only slow the search.
READERS = ("serment.core.dicom", "serment.core.crypto.age", "serment.entrypoints")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", choices=run.TARGETS)
    parser.add_argument("folder", type=Path, nargs="?", help="for what reached something new")
    parser.add_argument("--seconds", type=int, default=600)
    asked = parser.parse_args()
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=list(READERS), enable_loader_override=False):
        module = run.load(asked.target)
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for number, data in enumerate([*run.starts(module, asked.target)]):
            (folder / f"start-{number}").write_bytes(data)
        search(atheris, module, asked.target, folder, asked.seconds)


def search(atheris: Any, module: ModuleType, target: str, folder: Path, seconds: int) -> None:
    """Search until the time is over or something fails; ends the process."""
    options = [
        f"-max_total_time={seconds}",
        f"-max_len={run.MAX_SIZE}",
        "-timeout=10",
        "-rss_limit_mb=2048",
        "-print_final_stats=1",
        f"-artifact_prefix={folder}/failed-",
    ]

    def one(data: bytes) -> None:
        try:
            module.fuzz_one(data)
        except Exception:
            run.keep_input(target, data)
            raise

    atheris.Setup([sys.argv[0], *options, str(folder)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
