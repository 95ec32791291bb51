"""How to close it on a box: each row says where to look for the four things, and where that was read."""

from __future__ import annotations

from datetime import date

import pytest

from serment.core.exposure.boxes import BOXES, CLOSED_AT_BOX, READ, Box
from serment.core.exposure.registry import CHECKS


@pytest.mark.parametrize("box", BOXES[:-1], ids=lambda box: box.name)
def test_an_operator_s_box_says_where_it_was_read(box: Box) -> None:
    assert box.sources
    assert box.at, "where its own page answers"
    assert all(step.strip() for step in box.steps)
    assert "DMZ" in box.dmz
    assert "UPnP" in box.upnp
    assert "IPv6" in box.ipv6


def test_any_other_box_is_told_in_general_words_and_last() -> None:
    assert BOXES[-1].sources == ()
    assert len(BOXES[-1].steps) == 5


def test_the_table_is_dated_and_its_checks_exist() -> None:
    assert date(2026, 1, 1) < READ
    assert set(CHECKS) >= CLOSED_AT_BOX
