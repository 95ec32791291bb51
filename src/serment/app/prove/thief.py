"""Says what a thief of this server would read now: a decision over values, nothing is looked up.

The thief has the disk, switched off. Whoever controls the running machine is another matter:
`in_memory` names the circles whose keys he could use until they are locked. What was counted, and
how, is the caller's evidence to show beside the verdict.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from serment.core.crypto.slip39 import THRESHOLD


class Reach(StrEnum):
    """How far his reading goes; there is nothing between, because one key opens all or none."""

    EMPTY = "empty"  # there is no patient yet
    NOTHING = "nothing"
    EVERYTHING = "everything"


class Way(StrEnum):
    """What lets him in."""

    KIT = "kit"  # enough shares of the recovery kit lie on the same machine
    CLEAR_KEYS = "clear-keys"  # a key that opens patients is kept unsealed


@dataclass(frozen=True, slots=True)
class Haul:
    """What stands on the server that a thief takes away.

    `shares` of the recovery kit that can be read there; `clear_keys`: stored keys that no password
    and no other sealed key protects; `open_circles`: those whose seeds are in memory now.
    """

    patients: int
    objects: int
    shares: int
    clear_keys: int = 0
    open_circles: Iterable[str] = ()


@dataclass(frozen=True, slots=True)
class Loss:
    """The verdict. `one_share` warns: one more, found elsewhere, opens everything."""

    reach: Reach
    ways: tuple[Way, ...]
    readable_patients: int
    in_memory: tuple[str, ...]
    one_share: bool


def what_a_thief_reads(haul: Haul) -> Loss:
    """Decide from what is on the server."""
    ways = tuple(
        way
        for way, holds in (
            (Way.KIT, haul.shares >= THRESHOLD),
            (Way.CLEAR_KEYS, haul.clear_keys > 0),
        )
        if holds
    )
    return Loss(
        _reach(haul, bool(ways)),
        ways,
        haul.patients if ways else 0,
        tuple(sorted(set(haul.open_circles))),
        haul.shares == THRESHOLD - 1,
    )


def _reach(haul: Haul, way_in: bool) -> Reach:
    if not haul.patients and not haul.objects:
        return Reach.EMPTY
    return Reach.EVERYTHING if way_in else Reach.NOTHING
