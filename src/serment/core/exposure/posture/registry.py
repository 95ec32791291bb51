"""The twelve checks of a workstation, and the one way to ask them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from serment.core.exposure.discovered import discovered
from serment.core.exposure.posture.reading import LIMIT
from serment.core.exposure.posture.recorded import RECORDED
from serment.core.exposure.posture.verdict import Check, Result, Said, System, Verdict

CHECKS: Final[tuple[Check, ...]] = discovered(__package__, Check)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one check states of this machine. `remedy` is a gettext message id, empty on a pass."""

    check: Check
    verdict: Verdict
    remedy: str


def examine(system: System, said: Said, now: datetime) -> tuple[Answer, ...]:
    """Every check, in order of its id; each reads at most `LIMIT` characters of an answer."""
    bounded = {name: text[:LIMIT] for name, text in said.items()}
    return tuple(_answer(check, system, bounded, now) for check in CHECKS)


def _answer(check: Check, system: System, said: Said, now: datetime) -> Answer:
    verdict = honest(check.readers[system](said, now), system, said)
    remedy = "" if verdict.result is Result.PASS else verdict.remedy or check.remedies[system]
    return Answer(check, verdict, remedy)


def honest(verdict: Verdict, system: System, said: Said) -> Verdict:
    """Unknown, when it rests on an answer that was never recorded on a real machine of this system.

    An empty answer counts as recorded: that a file is not there has no form to mistake.
    """
    read = {name for name in verdict.sources if said.get(name, "").strip()}
    if verdict.result is Result.UNKNOWN or read <= RECORDED[system]:
        return verdict
    return replace(verdict, result=Result.UNKNOWN, untried=True)
