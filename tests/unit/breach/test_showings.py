"""How many objects of which kind were shown, where entries say more or less of them."""

from __future__ import annotations

from serment.core.breach.exposure import Category
from serment.core.breach.numbering import Ids
from serment.core.breach.showings import Showings

FIRST, SECOND = "a" * 32, "b" * 32
IMAGES, REPORTS = Category.IMAGES, Category.REPORTS
MIXED = {IMAGES: 2, REPORTS: 1}


def shown(*entries: tuple[str, str], size: int = 3) -> Showings:
    showings = Showings(Ids())
    for kind, name in entries:
        showings.opened(0, {"kind": kind, "objects": [name]}, size)
    return showings


def test_what_no_entry_says_the_kind_of_counts_for_each() -> None:
    assert shown(("metadata", FIRST)).objects(0, MIXED) == {IMAGES: 1, REPORTS: 1}


def test_a_later_entry_says_what_it_was() -> None:
    showings = shown(("metadata", FIRST), ("report", FIRST))
    assert showings.objects(0, MIXED) == {IMAGES: 0, REPORTS: 1}


def test_a_kind_that_the_envelope_was_not_said_to_hold_counts_for_each() -> None:
    assert shown(("document", FIRST)).objects(0, MIXED) == {IMAGES: 1, REPORTS: 1}


def test_all_of_an_envelope() -> None:
    showings = shown(("report", FIRST), ("image", SECOND), size=2)
    assert showings.objects(0, {IMAGES: 1, REPORTS: 1}) == {IMAGES: 1, REPORTS: 1}
    assert showings.has(0) and not showings.has(1)
