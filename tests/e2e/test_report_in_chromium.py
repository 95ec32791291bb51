"""The audit's report in a real browser: nothing fetched, nothing too wide, readable by everybody, printable."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.e2e.browser import Browser
from tests.unit.entrypoints.test_scan_report import ABOUT, HOSTILE, audited, everything
from tests.unit.exposure.sights import OPEN_FIND, scan, service

from serment.core.exposure.report import Report
from serment.entrypoints.reports.page import page

pytestmark = pytest.mark.real

# Texts of the picture that leave the drawing, or the machine they belong to.
BEYOND = """[...document.querySelectorAll('svg.chart')].filter(e => e.clientWidth).flatMap(svg => {
  const cards = [...svg.querySelectorAll('rect')].map(e => e.getBBox());
  return [...svg.querySelectorAll('text')].filter(text => {
    const at = text.getBBox();
    const middle = at.y + at.height / 2;
    const card = cards.find(c => at.x >= c.x && at.x < c.x + c.width && middle >= c.y && middle < c.y + c.height);
    const end = card ? card.x + card.width : svg.viewBox.baseVal.width;
    return at.x + at.width > end;
  }).map(text => text.textContent);
})"""


def reports() -> dict[str, Report]:
    one = service("dicom", 11112, OPEN_FIND, product=HOSTILE)
    return {"everything": everything(), "one": audited(scan(one)), "none": audited(scan())}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reports")
    for name, report in reports().items():
        for lang in ("fr", "en"):
            (folder / f"{name}-{lang}.html").write_bytes(page(report, ABOUT, lang))
    return folder


@pytest.mark.parametrize("name", ["everything", "one", "none"])
@pytest.mark.parametrize("lang", ["fr", "en"])
@pytest.mark.parametrize(
    ("width", "dark"), [(1280, False), (1280, True), (700, False), (360, True)]
)
def test_the_page_suits_every_reader(
    chromium: Browser, folder: Path, name: str, lang: str, width: int, dark: bool
) -> None:
    with chromium.visit(folder.as_uri(), lang=lang, width=width, dark=dark) as visit:
        visit.go(f"/{name}-{lang}.html")
        assert visit.axe() == []
        assert visit.overflow() <= 0
        visible = "[...document.querySelectorAll('.sight')].filter(e => e.offsetWidth > 0).length"
        assert visit.page.evaluate(visible) == 1
        assert visit.page.evaluate(BEYOND) == []
        assert visit.page.evaluate("getComputedStyle(document.body).maxWidth") != "none"
        assert visit.errors == []
        assert visit.foreign == []


def test_the_list_opens_by_keyboard(chromium: Browser, folder: Path) -> None:
    with chromium.visit(folder.as_uri()) as visit:
        visit.go("/everything-fr.html")
        visit.page.keyboard.press("Tab")
        visit.page.keyboard.press("Enter")
        assert visit.page.evaluate("document.querySelector('details').open")


def test_it_prints_light_without_cutting_a_card(chromium: Browser, folder: Path) -> None:
    with chromium.visit(folder.as_uri(), dark=True) as visit:
        visit.go("/everything-fr.html")
        visit.page.emulate_media(media="print", color_scheme="dark")
        paper = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert paper == "rgb(255, 255, 255)"
        broken = "[...document.querySelectorAll('.card')].every(e => getComputedStyle(e).breakInside === 'avoid')"
        assert visit.page.evaluate(broken)
