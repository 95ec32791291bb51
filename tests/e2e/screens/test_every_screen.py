"""Every screen of the real server, by each kind of member, in both languages and on any width."""

from __future__ import annotations

import pytest
from tests.e2e.screens.premises import Premises
from tests.e2e.screens.walk import Door, Walk

pytestmark = pytest.mark.real("chromium", "node")

TITLES = {
    "/": ("Accueil", "Home"),
    "/studies": ("Examens", "Studies"),
    "/patients": ("Patients", "Patients"),
    "/to-file": ("À classer", "To file"),
    "/exposure": ("Exposition", "Exposure"),
    "/journal": ("Journal", "Journal"),
    "/breach": ("Violation", "Breach"),
    "/members": ("Membres et appareils", "Members and devices"),
    "/settings": ("Réglages", "Settings"),
}
SCREENS = {
    "docteur": [path for path in TITLES if path != "/exposure"],
    "secretaire": [path for path in TITLES if path not in ("/breach", "/exposure")],
    "dpo": [path for path in TITLES if path != "/to-file"],
    "admin": ["/", "/exposure", "/journal", "/breach", "/members", "/settings"],
}
# 640 x 430 is a window of 1280 x 860 at 200 %.
WAYS = [
    ("docteur", "fr", {}),
    ("docteur", "en", {"width": 360, "height": 740}),
    ("secretaire", "fr", {"width": 640, "height": 430}),
    ("secretaire", "en", {}),
    ("dpo", "fr", {"width": 360, "height": 740}),
    ("dpo", "en", {}),
    ("admin", "fr", {}),
    ("admin", "en", {"width": 640, "height": 430}),
]


@pytest.mark.parametrize(("login", "lang", "size"), WAYS)
def test_every_screen(door: Door, login: str, lang: str, size: dict[str, int]) -> None:
    number = ("fr", "en").index(lang)
    with door(lang=lang, **size) as walk:
        walk.go("/login")
        walk.open(("Mon navigateur dit", "My browser says")[number])
        walk.check("/login")
        walk.sign_in(login)
        menu = walk.page.locator("nav.menu a")
        reached = [link.get_attribute("href") for link in menu.all()]
        assert reached == SCREENS[login]
        for path in reached:
            walk.go(path)
            assert walk.page.title() == f"{TITLES[path][number]} · Serment"
            assert walk.page.get_attribute("html", "lang") == lang
            for fold in walk.page.locator("main details > summary:visible").all():
                fold.click()
            walk.check(f"{login} {path} {lang}")
        _deeper(walk, login, number)
        for path, status in (("/nowhere", 404), (f"/patients/{'0' * 32}", 403)):
            walk.go(path, status)
            walk.check(f"{login} {path} {lang}", axe=login in ("docteur", "admin"))


def _deeper(walk: Walk, login: str, number: int) -> None:
    """A patient's file, a study with and without its key, a report."""
    if login == "admin":
        walk.go("/studies", 403)
        return
    walk.go("/patients")
    walk.page.click("a.row-link:has-text('LEFÈVRE Hélène')")
    walk.has(("Chronologie", "Timeline")[number])
    walk.check("patient file")
    walk.go("/studies")
    walk.page.click(".row-study:has-text('BÉRANGÉ-DUVAL') a.row-link")
    if login == "docteur":
        walk.until("document.getElementById('canvas').width > 300")
        walk.check("viewer")
        report = walk.page.get_attribute("a[href^='/reports/']", "href")
        walk.go(report or "")
        walk.check("report")
        walk.go("/studies")
        walk.page.click(".row-study:has-text('THIBAUDÉAUX') a.row-link")
    walk.has(("Scellé : votre session", "Sealed: your session")[number], "#main")
    walk.check("sealed study")


def test_the_language_is_switched_on_the_spot_and_stays(door: Door) -> None:
    with door(lang="fr") as walk:
        walk.go("/login")
        walk.page.click(".language button[lang=en]")
        walk.has("Open the practice", "h1")
        walk.sign_in("admin")
        walk.go("/journal")
        assert walk.text("h1") == "Journal" and "Has anybody touched it?" in walk.text()
        walk.page.click(".language button[lang=fr]")
        walk.has("Quelqu’un y a-t-il touché")
        assert walk.page.url.endswith("/journal")
        cookie = {each["name"]: each for each in walk.page.context.cookies()}
        assert cookie["__Host-serment-language"]["value"] == "fr"


def test_nothing_is_shown_to_a_stranger(door: Door, practice: Premises) -> None:
    with door() as walk:
        for path in ("/", *list(TITLES)[1:], "/studies/" + "0" * 32, "/patients/" + "0" * 32):
            walk.page.goto(practice.url + path)
            assert "/login" in walk.page.url, path
            walk.has("Ouvrir le cabinet", "h1")
        for path in ("/pulse", "/thumbnails/" + "0" * 32, "/reports/" + "0" * 32):
            assert walk.fetch(path)["status"] == 401, path
