"""Rendered pictures stay in memory while their circle is open, within bounds."""

from __future__ import annotations

from tests.practices import patient, study
from tests.unit.web_practice.pages import Pages, full_study


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
