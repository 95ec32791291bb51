"""What a thief of the server reads: one truth table."""

from __future__ import annotations

import pytest

from serment.app.prove.thief import Haul, Reach, Way, what_a_thief_reads

TABLE = [
    # patients, objects, shares, clear keys -> reach, ways, readable, one share
    ((0, 0, 0, 0), Reach.EMPTY, (), 0, False),
    ((0, 0, 3, 0), Reach.EMPTY, (Way.KIT,), 0, False),
    ((12, 90, 0, 0), Reach.NOTHING, (), 0, False),
    ((12, 90, 1, 0), Reach.NOTHING, (), 0, True),
    ((12, 90, 2, 0), Reach.EVERYTHING, (Way.KIT,), 12, False),
    ((12, 90, 3, 0), Reach.EVERYTHING, (Way.KIT,), 12, False),
    ((12, 90, 0, 1), Reach.EVERYTHING, (Way.CLEAR_KEYS,), 12, False),
    ((12, 90, 1, 1), Reach.EVERYTHING, (Way.CLEAR_KEYS,), 12, True),
    ((12, 90, 2, 4), Reach.EVERYTHING, (Way.KIT, Way.CLEAR_KEYS), 12, False),
    ((0, 5, 0, 0), Reach.NOTHING, (), 0, False),  # arrivals, not filed yet
    ((0, 5, 2, 0), Reach.EVERYTHING, (Way.KIT,), 0, False),
    ((3, 0, 0, 0), Reach.NOTHING, (), 0, False),
]


@pytest.mark.parametrize(("haul", "reach", "ways", "readable", "one_share"), TABLE)
def test_verdict(
    haul: tuple[int, int, int, int],
    reach: Reach,
    ways: tuple[Way, ...],
    readable: int,
    one_share: bool,
) -> None:
    loss = what_a_thief_reads(Haul(*haul))
    assert (loss.reach, loss.ways, loss.readable_patients, loss.one_share) == (
        reach,
        ways,
        readable,
        one_share,
    )


def test_open_circles_change_nothing_for_the_disk_and_are_named() -> None:
    loss = what_a_thief_reads(Haul(12, 90, 0, 0, ["secretariat", "care", "care"]))
    assert loss.reach is Reach.NOTHING
    assert loss.in_memory == ("care", "secretariat")
