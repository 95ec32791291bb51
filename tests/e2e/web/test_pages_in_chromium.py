"""Every screen in a real browser: readable by everybody, silent, at home on any width."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from browser import Browser, Visit
from demo_people import CODE, PASSWORD
from demo_records import studies
from demo_stage import Stage

pytestmark = [pytest.mark.real("chromium", "node"), pytest.mark.xdist_group("chromium")]

CT, DX, _, US = studies()[:4]
SCREENS = (
    "/",
    "/studies",
    "/patients",
    f"/patients/{CT.patient}",
    "/to-file",
    "/journal",
    "/members",
    "/settings",
    f"/studies/{DX.ref}",
    f"/studies/{US.ref}",
    f"/reports/{CT.objects[-1].id}",
)
WAYS = {
    "French, light": {"lang": "fr"},
    "English, dark": {"lang": "en", "dark": True},
    "French, 360 pixels": {"lang": "fr", "width": 360, "height": 740, "touch": True},
    "English, 200 % zoom": {"lang": "en", "width": 640, "height": 430},
}


def sign_in(visit: Visit, login: str = "a.perichon") -> None:
    visit.sign_in(login, PASSWORD, CODE if login != "m.laurent" else "")


def check(visit: Visit, where: str, axe: bool = True) -> None:
    assert not axe or visit.axe() == [], where
    assert visit.overflow() <= 0, where
    assert visit.errors == [], where
    assert visit.foreign == [], where


@pytest.mark.parametrize("way", WAYS)
def test_every_screen_is_accessible_fits_and_stays_at_home(
    chromium: Browser, stage: Stage, way: str
) -> None:
    with chromium.visit(stage.url, **WAYS[way]) as visit:
        visit.go("/login")
        check(visit, "/login")
        sign_in(visit)
        for path in SCREENS:
            visit.go(path)
            for details in visit.page.query_selector_all("main details > summary:visible"):
                details.click()
            check(visit, path, axe=not way.endswith("zoom"))


def test_the_secretary_s_and_the_dpo_s_screens(chromium: Browser, stage: Stage) -> None:
    for login in ("m.laurent", "s.ozanneau"):
        with chromium.visit(stage.url) as visit:
            sign_in(visit, login)
            for path in ("/studies", f"/patients/{CT.patient}", f"/studies/{CT.ref}"):
                visit.go(path)
                check(visit, f"{login} {path}")
            assert visit.page.locator(".sealed").is_visible()


def test_the_policy_stops_an_injected_script(chromium: Browser, stage: Stage) -> None:
    with chromium.visit(stage.url) as visit:
        visit.go("/login")
        visit.page.evaluate(
            """() => {
              const script = document.createElement("script");
              script.textContent = "window.injected = true";
              document.body.append(script);
              const inert = document.createElement("p");
              inert.innerHTML = '<img src="x" onerror="window.injected = true">';
              document.body.append(inert);
            }"""
        )
        visit.page.wait_for_timeout(200)
        assert visit.page.evaluate("window.injected") is None
        assert any("Content Security Policy" in error for error in visit.errors)


def test_a_search_changes_the_list_and_not_the_address(chromium: Browser, stage: Stage) -> None:
    with chromium.visit(stage.url) as visit:
        sign_in(visit)
        visit.go("/studies")
        visit.page.fill("#f-name", "lefevre")
        visit.page.press("#f-name", "Enter")
        visit.until("document.querySelectorAll('.row-study').length === 3")
        assert visit.page.url == f"{stage.url}/studies"
        visit.page.fill("#f-name", "")
        visit.page.press("#f-name", "Enter")
        visit.page.click(".pager button:last-child")
        visit.until("document.querySelector('.pager').innerText.includes('2')")
        assert stage.practice.queries[-1].page == 2
        assert visit.errors == []


def test_arrivals_appear_by_themselves_and_keep_nobody_signed_in(
    chromium: Browser, stage: Stage
) -> None:
    with chromium.visit(stage.url) as visit:
        sign_in(visit)
        visit.go("/studies")
        stage.practice.now += timedelta(minutes=29)
        stage.practice.empty, stage.practice.version, stage.practice.receiving = True, 2, 7
        visit.page.wait_for_selector("#worklist .empty-big")
        assert "7" in visit.page.inner_text("#beat")
        assert visit.page.locator("#soon").is_visible()
        stage.practice.now += timedelta(minutes=1)
        visit.page.wait_for_url("**/login?next=**")
        assert visit.page.locator("#login").is_visible()
        assert not stage.practice.open


def test_a_person_who_says_so_stays(chromium: Browser, stage: Stage) -> None:
    with chromium.visit(stage.url) as visit:
        sign_in(visit)
        stage.practice.now += timedelta(minutes=29)
        visit.page.locator("#soon").wait_for(state="visible")
        visit.page.click("#stay")
        visit.page.locator("#soon").wait_for(state="hidden")
        assert len(stage.practice.open) == 1


def test_locking_clears_the_screen_for_good(chromium: Browser, stage: Stage) -> None:
    with chromium.visit(stage.url) as visit:
        sign_in(visit)
        visit.go(f"/patients/{CT.patient}")
        visit.page.click(".btn-lock")
        visit.page.wait_for_selector("#login")
        visit.page.go_back()
        visit.page.wait_for_selector("#login")
        assert "LEFÈVRE" not in visit.page.content()


def test_a_document_is_handed_over(chromium: Browser, stage: Stage, tmp_path: Path) -> None:
    pdf = tmp_path / "letter.pdf"
    pdf.write_bytes(b"%PDF-1.7\n" + b"x" * 300_000)
    with chromium.visit(stage.url) as visit:
        sign_in(visit)
        visit.go(f"/patients/{CT.patient}")
        visit.page.fill("#document-title", "Courrier du médecin traitant")
        visit.page.set_input_files("#document-file", pdf)
        with visit.page.expect_navigation():
            visit.page.click("form.upload button")
        patient, title, data = stage.practice.uploads[0]
        assert (patient, title) == (CT.patient, "Courrier du médecin traitant")
        assert data == pdf.read_bytes()
        pdf.write_bytes(b"MZ")
        visit.page.fill("#document-title", "x")
        visit.page.set_input_files("#document-file", pdf)
        visit.page.click("form.upload button")
        visit.page.wait_for_selector(".upload-said.is-bad")
        assert "PDF" in visit.page.inner_text(".upload-said")


def test_the_journal_is_verified_on_the_spot(chromium: Browser, stage: Stage) -> None:
    with chromium.visit(stage.url) as visit:
        sign_in(visit)
        visit.go("/journal")
        visit.page.click("#verify button")
        visit.page.wait_for_selector("#verdict .note-good")
        stage.practice.damaged = True
        visit.page.click("#verify button")
        visit.page.wait_for_selector("#verdict .note-bad")
        check(visit, "verdict")


def test_everything_is_reached_by_keyboard(chromium: Browser, stage: Stage) -> None:
    with chromium.visit(stage.url) as visit:
        sign_in(visit)
        visit.go("/studies")
        page = visit.page
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        seen = set()
        for _ in range(30):
            page.keyboard.press("Tab")
            seen.add(page.evaluate("document.activeElement.className"))
        assert "row-link" in seen and any("filters-go" in name for name in seen)
