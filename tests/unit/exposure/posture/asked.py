"""One check asked with a few answers of a machine, for the tests beside this file."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from serment.core.exposure.posture.registry import CHECKS
from serment.core.exposure.posture.verdict import System, Verdict
from serment.entrypoints.language import say

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
DATA = Path(__file__).resolve().parents[3] / "data" / "posture"
LINUX, MACOS, WINDOWS = System.LINUX, System.MACOS, System.WINDOWS


def verdict(check: str, system: System, **said: str) -> Verdict:
    """What the parser reads, tried or not; `_` in a name stands for `-`."""
    (found,) = (each for each in CHECKS if each.id == check)
    return found.readers[system]({name.replace("_", "-"): text for name, text in said.items()}, NOW)


def ask(check: str, system: System, **said: str) -> tuple[str, str]:
    """Result and evidence in English."""
    found = verdict(check, system, **said)
    return found.result.value, say(found.evidence, "en", **found.values)


def machine(name: str) -> tuple[System, dict[str, str]]:
    """A machine of tests/data/posture."""
    value = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    return System(value["system"]), value["said"]
