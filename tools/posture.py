"""Writes what docs/posture.md takes from the code: remedies, and what was tried on which system.

Text around it is written by hand. Run: `.venv/bin/python tools/posture.py`; a test compares.
"""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from serment.core.exposure.posture.recorded import RECORDED
from serment.core.exposure.posture.registry import CHECKS, examine
from serment.core.exposure.posture.verdict import Result, System

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "posture.md"
NAMES = {System.LINUX: "Linux", System.MACOS: "macOS", System.WINDOWS: "Windows"}
REMEDY = re.compile(r"(?<=\*\*Remedy\*\*:\n)(.*?)(?=\n\n\*\*Rule\*\*)", re.S)
TRIED = re.compile(r"(?<=\|---\|---\|---\|\n)(.*?)(?=\n\nTo change that)", re.S)
RECORDINGS = ROOT / "tests" / "data" / "posture" / "recorded"
THEN = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)  # when they were recorded


def tried() -> str:
    """Rows of system, recorded answers, and checks that were more than unknown on a recording."""
    able: dict[System, set[str]] = {system: set() for system in System}
    for path in RECORDINGS.glob("*.json"):
        value = json.loads(path.read_text(encoding="utf-8"))
        for answer in examine(System(value["system"]), value["said"], THEN):
            if answer.verdict.result is not Result.UNKNOWN:
                able[System(value["system"])].add(answer.check.id)
    rows = []
    for system, name in NAMES.items():
        answers = ", ".join(f"`{each}`" for each in sorted(RECORDED[system])) or "none"
        rows.append(f"| {name} | {answers} | {', '.join(sorted(able[system])) or 'none'} |")
    return "\n".join(rows)


def filled(page: str) -> str:
    """The page with what the code knows put in its places."""
    page = TRIED.sub(lambda _: tried(), page, count=1)
    parts = re.split(r"(?=^## H[0-9]{2} )", page, flags=re.M)
    return "".join(with_remedies(part) for part in parts)


def with_remedies(part: str) -> str:
    for check in CHECKS:
        if part.startswith(f"## {check.id} "):
            lines = [f"- {NAMES[system]}: {check.remedies[system]}" for system in System]
            return REMEDY.sub("\n".join(lines).replace("\\", r"\\"), part, count=1)
    return part


def main() -> int:
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
