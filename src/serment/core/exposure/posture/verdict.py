"""What a check of a workstation states: pass, fail or unknown, with its line of evidence.

A check is asked with what the machine said, by name (`Said`): a name that is missing could not be
asked (no such program, refused, too slow); an empty text was asked, and there was nothing. Where
each text comes from is `ports.machine`; which texts were recorded on a real machine, `recorded`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias


class System(StrEnum):
    LINUX = "linux"
    MACOS = "macos"
    WINDOWS = "windows"


class Result(StrEnum):
    FAIL = "fail"
    UNKNOWN = "unknown"
    PASS = "pass"


Said: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`evidence` and `remedy` are gettext message ids, `values` technical facts without names.

    `sources`: the names in `Said` it was read from. `remedy` is empty where the check's usual one
    serves. `untried`: the result is unknown only because nobody recorded these sources on a real
    machine of this system; the evidence then says what was read.
    """

    result: Result
    evidence: str
    sources: tuple[str, ...] = ()
    values: dict[str, object] = field(default_factory=dict)
    remedy: str = ""
    untried: bool = False


Reader: TypeAlias = Callable[[Said, datetime], Verdict]


@dataclass(frozen=True, slots=True)
class Check:
    """One question about a workstation.

    `article` of the GDPR, `commandment` of the ten (docs/posture.md), `sheets` of the CNIL's
    security guide of 2024. `remedies` are gettext message ids, for a doctor, by system.
    """

    id: str  # H01 ...
    title: str
    article: str
    commandment: int
    sheets: tuple[int, ...]
    readers: Mapping[System, Reader]
    remedies: Mapping[System, str]


def passed(evidence: str, *sources: str, **values: object) -> Verdict:
    return Verdict(Result.PASS, evidence, sources, values)


def failed(evidence: str, *sources: str, remedy: str = "", **values: object) -> Verdict:
    return Verdict(Result.FAIL, evidence, sources, values, remedy)


def unknown(evidence: str, *sources: str, **values: object) -> Verdict:
    return Verdict(Result.UNKNOWN, evidence, sources, values)
