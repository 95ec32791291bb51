"""Ids kept one after the other are told apart as in a table, also where one lies across two others."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from serment.core.breach.exposure import Category
from serment.core.breach.numbering import Ids, Numbering
from serment.core.breach.showings import Showings

ZERO = bytes(16)
IDS = st.lists(st.lists(st.sampled_from((0, 0, 0, 1)), min_size=16, max_size=16).map(bytes))


@settings(max_examples=300, deadline=None)
@given(IDS)
@example([b"\0\0" + b"\1" * 2 + ZERO[:12], b"\0\0" + b"\1" * 14, ZERO])
def test_numbers(ids: list[bytes]) -> None:
    numbering, plain = Numbering(), dict[bytes, int]()
    for each in ids:
        expected = plain.setdefault(each, len(plain))
        assert numbering.of(each) == numbering.written(each.hex().encode()) == expected
    assert {raw: number for number, raw in numbering.ids()} == plain
    assert len(numbering) == len(plain)


@settings(max_examples=300, deadline=None)
@given(IDS)
@example([b"\1" * 15 + b"\0", b"\0" * 15 + b"\1", b"\0" * 16, b"\0\0" + b"\0" * 13 + b"\1"])
def test_objects_that_were_shown(ids: list[bytes]) -> None:
    showings = Showings(Ids())
    for each in ids:
        showings.opened(0, {"kind": "image", "objects": [each.hex()]}, 0)
    size = len(ids) + 1
    shown = showings.objects(0, {Category.IMAGES: size})
    assert shown.get(Category.IMAGES, 0) == len(set(ids))
