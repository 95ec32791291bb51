"""Rendered pictures stay in memory while their circle is open, within bounds."""

from __future__ import annotations

from tests.practices import patient, study
from tests.unit.web_practice.pages import Pages, full_study

from serment.entrypoints.web.practice.pictures import Pictures
from serment.entrypoints.web.views import Picture


def picture(size: int) -> Picture:
    return Picture(b"x" * size, "image/png")


def test_the_one_used_longest_ago_goes_first() -> None:
    kept = Pictures(limit_bytes=30)
    kept.open("care")
    for name in ("a", "b", "c"):
        kept.put("care", (name,), picture(10))
    assert kept.get("care", ("a",)) is not None
    kept.put("care", ("d",), picture(10))
    assert [kept.get("care", (n,)) is not None for n in "abcd"] == [True, False, True, True]
    kept.put("care", ("a",), picture(20))  # in the place of the old one
    assert kept.size_bytes() == 30
    kept.put("care", ("e",), picture(31))  # more than there is room for
    assert kept.get("care", ("e",)) is None
    assert kept.size_bytes() == 30


def test_circles_are_apart_and_closing_forgets() -> None:
    kept = Pictures(limit_bytes=30)
    for circle in ("care", "echo"):
        kept.open(circle)
        kept.put(circle, ("a",), picture(20))
    assert kept.size_bytes() == 40
    kept.close("care")
    kept.put("care", ("a",), picture(20))  # was being made when the circle closed
    assert kept.get("care", ("a",)) is None
    assert kept.get("echo", ("a",)) is not None
    assert kept.size_bytes() == 20
    kept.open("care")
    assert kept.get("care", ("a",)) is None


def test_locking_empties_what_the_pages_keep(pages: Pages) -> None:
    (ct, *_) = pages.world.receive(full_study(study(patient()))[:1])
    first, second = pages.sign_in("docteur"), pages.sign_in("docteur")
    pages.web.frame(first, ct.object_id, 1, None, None)
    pages.web.thumbnail(first, ct.object_id)
    assert pages.decoder.rendered == 2
    pages.web.lock(first)
    assert pages.web._pictures.size_bytes() > 0  # the other session keeps the circle open
    pages.web.lock(second)
    assert pages.web._pictures.size_bytes() == 0
    again = pages.sign_in("docteur")
    pages.web.thumbnail(again, ct.object_id)
    assert pages.decoder.rendered == 3
    pages.world.house.clock.advance(31 * 60)
    pages.world.practice.expire()
    assert pages.web._pictures.size_bytes() == 0
