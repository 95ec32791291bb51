"""The page that waits for a large practice, in a real browser: the bar moves, then the way in."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Event

import pytest
from browser import Browser
from demo_people import CODE, PASSWORD
from demo_stage import Stage

from serment.ports import Progress

pytestmark = [pytest.mark.real("chromium", "node"), pytest.mark.xdist_group("chromium")]
SAID = {"fr": "entrées ouvertes sur 52 000", "en": "of 52,000 entries opened"}
PICTURES = os.environ.get("SERMENT_PICTURES")  # a folder, for people who want to look


@pytest.mark.parametrize("lang", ["fr", "en"])
@pytest.mark.parametrize("width", [1280, 360])
def test_the_bar_follows_and_the_page_opens(
    chromium: Browser, stage: Stage, lang: str, width: int
) -> None:
    half, end = Event(), Event()

    def work(progress: Progress) -> None:
        progress.total(52_000)
        progress.step(13_000)
        assert half.wait(60)
        progress.step(26_000)
        assert end.wait(60)

    stage.practice.work = work
    with chromium.visit(stage.url, lang=lang, width=width) as visit:
        visit.sign_in("a.perichon", PASSWORD, CODE, waits=True)
        visit.until("location.pathname === '/opening'")
        bar = "document.getElementById('opening-bar')"
        visit.until(f"{bar}.value === 13000 && {bar}.max === 52000")
        half.set()
        visit.until(f"{bar}.value === 39000")
        said = visit.page.inner_text("#opening-said").replace("\u202f", " ")
        assert SAID[lang] in said
        assert visit.axe() == []
        assert visit.overflow() <= 0
        if PICTURES:
            visit.page.screenshot(path=Path(PICTURES) / f"opening-{lang}-{width}.png")
        end.set()
        visit.until("location.pathname === '/'")
        assert (visit.errors, visit.foreign) == ([], [])
