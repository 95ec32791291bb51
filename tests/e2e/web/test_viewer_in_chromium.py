"""The viewer in a real browser: scrolls, windows, zooms, plays, by mouse and by keyboard."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser import Browser, Visit
from demo_people import CODE, PASSWORD
from demo_records import studies
from demo_stage import Stage

pytestmark = [pytest.mark.real("chromium", "node"), pytest.mark.xdist_group("chromium")]

CT, DX = studies()[:2]
SHARE_LIT = """() => {
  const canvas = document.getElementById("canvas");
  const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let lit = 0;
  for (let at = 0; at < data.length; at += 4) lit += data[at] > 60;
  return lit / (data.length / 4);
}"""


@pytest.fixture
def visit(chromium: Browser, stage: Stage) -> Iterator[Visit]:
    with chromium.visit(stage.url, lang="en") as visit:
        visit.sign_in("a.perichon", PASSWORD, CODE)
        visit.go(f"/studies/{CT.ref}")
        visit.until(f"({SHARE_LIT})() > 0.05")
        yield visit


def state(visit: Visit) -> str:
    return visit.page.inner_text("#film-state")


def corner(visit: Visit) -> str:
    return visit.page.inner_text("#corner-window")


def test_the_middle_of_a_volume_is_shown_with_the_viewer_s_name_on_it(visit: Visit) -> None:
    assert state(visit) == "Image 9 of 16"
    assert corner(visit) == "Window 40 / 400\n100 %"
    assert "Not for diagnosis" in visit.page.inner_text(".room-banner")
    assert visit.page.inner_text("#corner-who") == "LEFÈVRE Hélène"


def test_keys_scroll_and_wheel_scrolls(visit: Visit) -> None:
    page = visit.page
    page.focus("#film")
    for key, expected in (
        ("ArrowDown", 10),
        ("ArrowUp", 9),
        ("PageDown", 16),
        ("Home", 1),
        ("End", 16),
        ("PageUp", 6),
    ):
        page.keyboard.press(key)
        assert state(visit) == f"Image {expected} of 16", key
    page.hover("#film")
    page.mouse.wheel(0, 40)
    visit.until("document.getElementById('film-state').innerText.includes('7 of')")
    page.fill("#slider", "3")
    assert state(visit) == "Image 3 of 16"


def test_dragging_changes_the_window_at_once_and_asks_for_the_exact_picture(visit: Visit) -> None:
    page = visit.page
    dark = page.evaluate(SHARE_LIT)
    box = page.locator("#film").bounding_box()
    x, y = box["x"] + 400, box["y"] + 200
    page.mouse.move(x, y)
    page.mouse.down()
    with page.expect_response(lambda answer: "?c=" in answer.url) as exact:
        page.mouse.move(x, y - 150, steps=6)  # a lower centre: brighter
        assert page.evaluate(SHARE_LIT) > dark
        page.mouse.up()
    assert exact.value.ok
    assert "Window -110 / 400" in corner(visit)
    assert exact.value.request.headers["x-serment-active"] == "1"
    with page.expect_response(lambda answer: "c=-600.0&w=1500.0" in answer.url):
        page.select_option("#preset", label="Lung")
    page.click("#reset")
    assert corner(visit) == "Window 40 / 400\n100 %"


def test_zoom_move_invert_and_reset(visit: Visit) -> None:
    page = visit.page
    page.focus("#film")
    page.keyboard.press("+")
    assert "125 %" in corner(visit)
    page.click('[data-tool="pan"]')
    assert page.get_attribute('[data-tool="pan"]', "aria-pressed") == "true"
    page.keyboard.press("Tab")
    lit = page.evaluate(SHARE_LIT)
    page.click("#invert")
    assert page.evaluate(SHARE_LIT) > lit + 0.1
    page.click("#reset")
    assert page.get_attribute("#invert", "aria-pressed") == "false"
    assert "100 %" in corner(visit)


def test_next_frames_are_fetched_ahead_and_not_as_a_person(visit: Visit) -> None:
    page = visit.page
    page.focus("#film")
    with page.expect_request(
        lambda request: "x-serment-live" in request.headers and "/frames/" in request.url
    ):
        page.keyboard.press("ArrowDown")
    page.wait_for_timeout(400)
    asked: list[str] = []
    page.on(
        "request", lambda request: asked.append(request.url) if "/frames/" in request.url else None
    )
    page.keyboard.press("ArrowDown")
    page.wait_for_timeout(100)
    current = asked and any(url.endswith(f"/frames/{CT.objects[10].id}/1") for url in asked)
    assert not current  # it was there already


def test_a_loop_plays_and_stops(visit: Visit) -> None:
    page = visit.page
    page.click("#play")
    visit.until("!document.getElementById('film-state').innerText.includes('9 of')")
    assert page.get_attribute("#play", "aria-pressed") == "true"
    page.click("#play")
    assert page.get_attribute("#play", "aria-pressed") == "false"


def test_a_picture_that_cannot_be_shown_says_so(visit: Visit, stage: Stage) -> None:
    stage.practice.damaged = True
    page = visit.page
    page.focus("#film")
    page.keyboard.press("Home")
    page.wait_for_selector("#film-problem:visible")
    assert "choose another one" in page.inner_text("#film-problem")
    stage.practice.damaged = False
    page.keyboard.press("End")
    page.keyboard.press("Home")
    page.wait_for_selector("#film-problem", state="hidden")


def test_large_pictures_come_at_the_size_of_the_screen(visit: Visit) -> None:
    with visit.page.expect_response(lambda answer: "/frames/" in answer.url) as first:
        visit.go(f"/studies/{DX.ref}")
    assert first.value.ok
    visit.until(f"({SHARE_LIT})() > 0.05")
    assert visit.errors == []


def test_a_colour_picture_has_no_window(visit: Visit) -> None:
    visit.go(f"/studies/{studies()[14].ref}")
    visit.until(f"({SHARE_LIT})() > 0.05")
    assert corner(visit).startswith("colour")
    assert visit.page.is_disabled('[data-tool="window"]')
    assert visit.page.get_attribute('[data-tool="scroll"]', "aria-pressed") == "true"
