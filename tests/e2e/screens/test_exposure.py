"""What strangers can reach, in the browser: an audit of a real open folder, closed, looked at again;
who answers for what stays; the report to take out; and nothing of it for whoever may not know."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.e2e.network.running import running
from tests.e2e.screens.premises import Premises
from tests.e2e.screens.walk import Door, Walk

from serment.core.exposure.ports import COMMON

pytestmark = pytest.mark.real("chromium", "node")

HOST = "127.77.4.9"  # an address of this machine that nobody else of the tests listens on
PORT = 8888
PLANTED = "MARCHANDEAU"  # a name in the file, and in the name of another
TITLES = ("Une page web liste des fichiers de santé", "A web page lists health files")
CARD = f".finding:has-text('X17'):has-text('{HOST}')"


@pytest.fixture(scope="module")
def extracts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two extracts of health data, as somebody left them."""
    folder = tmp_path_factory.mktemp("extracts")
    (folder / "patients.csv").write_text(f"nom;prenom\n{PLANTED};Zoe\n")
    (folder / f"{PLANTED}.dcm").write_bytes(bytes(128) + b"DICM")
    return folder


@contextmanager
def listed(folder: Path) -> Iterator[None]:
    """A web server that lists the folder to anybody."""
    assert PORT in COMMON
    where = ("--bind", HOST, "--directory", str(folder))
    with running(PORT, sys.executable, "-m", "http.server", str(PORT), *where, host=HOST):
        yield


def audit(walk: Walk) -> None:
    """Begin one from the form, and wait until the page says it has ended."""
    walk.go("/exposure")
    form = walk.page.locator("form[action='/exposure/audit']")
    if not form.is_visible():
        walk.page.locator("#audit > summary").click()
    form.locator("[name=targets]").fill(HOST)
    form.locator("[name=dmz][value=no]").check()
    form.locator("button").click()
    ended(walk)


def ended(walk: Walk) -> None:
    walk.until("!document.querySelector('[data-follow]') && document.readyState === 'complete'")


@pytest.mark.parametrize(("lang", "size"), [("fr", {}), ("en", {"width": 360, "height": 740})])
def test_found_accepted_closed_and_looked_at_again(
    door: Door, practice: Premises, extracts: Path, lang: str, size: dict[str, int]
) -> None:
    number = ("fr", "en").index(lang)
    with door("admin", lang=lang, **size) as walk:
        with listed(extracts):
            audit(walk)
            walk.has(TITLES[number], CARD)
            said = walk.text(CARD)
            assert ("fichiers lisibles : 2", "files readable: 2")[number] in said, said
            assert PLANTED not in walk.page.content()
            assert walk.page.locator("figure svg:visible").count() == 1
            walk.page.evaluate(
                "document.querySelectorAll('main details').forEach((d) => { d.open = true; })"
            )
            walk.check(f"findings {lang}")
            reports(walk)
            accept(walk, number)
            walk.go("/")
            walk.has(("à des inconnus", "open to strangers")[number], "a.number[href='/exposure']")
            walk.check(f"home {lang}")
        walk.go("/exposure")
        folded = walk.page.locator("#findings > details > summary")
        if not walk.page.locator(CARD).first.is_visible():
            folded.click()
        walk.page.locator(CARD).first.locator("form[action='/exposure/recheck'] button").click()
        ended(walk)
        walk.has(TITLES[number], ".past")
        assert walk.page.locator(CARD).count() == 0
        walk.check(f"gone {lang}")


def accept(walk: Walk, number: int) -> None:
    """Somebody answers for it for a month; one without an end is not taken."""
    walk.go("/exposure")
    card = walk.page.locator(CARD).first
    card.locator(".finding-acts summary").click()
    form = card.locator("form[action='/exposure/accept']")
    form.locator("[name=why]").fill("fermé lundi")
    until = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    form.locator("[name=until]").fill(until)
    form.locator("button").click()
    walk.until("document.readyState === 'complete'")
    fold = walk.page.locator("#findings > details").first
    if fold.get_attribute("open") is None:
        fold.locator("> summary").click()
    walk.has(("accepté jusqu’au", "accepted until")[number], CARD)
    walk.has("fermé lundi", CARD)


def reports(walk: Walk) -> None:
    """The four forms, none of which names what the folder holds."""
    begin = {"pdf": "%PDF-", "html": "<!doctype html>", "json": "{", "sarif": "{"}
    links = walk.page.locator(".report-links a").all()
    assert [link.get_attribute("href") for link in links] == [
        f"/exposure/report/{kind}" for kind in begin
    ]
    for kind, text in begin.items():
        got = walk.fetch(f"/exposure/report/{kind}")
        assert got["status"] == 200, kind
        assert got["text"].lower().startswith(text.lower()), kind
        assert PLANTED not in got["text"]


def test_what_cannot_be_done_is_said_at_its_form(door: Door) -> None:
    with door("admin") as walk:
        walk.go("/exposure")
        form = walk.page.locator("form[action='/exposure/audit']")
        if not form.is_visible():
            walk.page.locator("#audit > summary").click()
        form.locator("[name=targets]").fill("192.0.2.300")
        walk.expected.add(400)
        form.locator("button").click()
        walk.has("n’est ni", "#audit [role=alert]")
        assert form.locator("[name=targets]").input_value() == "192.0.2.300", "as it was typed"
        walk.check("refused")
        weekly = walk.page.locator("form[action='/exposure/weekly']")
        weekly.locator("[name=by]").fill("")
        weekly.locator("button").first.click()
        walk.has("personne n’a dit qui autorise", "#weekly [role=alert]")


def test_the_weekly_audit_is_switched_on_and_off(door: Door) -> None:
    with door("admin") as walk:
        walk.go("/exposure")
        form = walk.page.locator("form[action='/exposure/weekly']")
        form.locator("[name=by]").fill("Dr Exemple")
        form.locator("[name=targets]").fill(HOST)
        form.locator("[name=weekday]").select_option("4")
        form.locator("[name=hour]").select_option("13")
        form.locator("button").first.click()
        walk.has("à 13 h 00", "#weekly")
        walk.page.locator("form[action='/exposure/weekly'] button[value=no]").click()
        walk.has("désactivé", "#weekly .state")


def test_the_dpo_reads_and_changes_nothing(door: Door) -> None:
    with door("dpo") as walk:
        walk.go("/exposure")
        assert walk.page.locator("main form").count() == 0
        walk.check("dpo")
        posted(walk, 403)


@pytest.mark.parametrize("login", ["secretaire", "docteur"])
def test_who_may_not_know_sees_nothing_of_it(door: Door, login: str) -> None:
    with door(login) as walk:
        assert walk.page.locator("a[href^='/exposure']").count() == 0
        walk.go("/exposure", 403)
        assert HOST not in walk.text("body")
        for path in ("/exposure/progress", "/exposure/report/json", "/exposure/report/pdf"):
            assert walk.fetch(path)["status"] == 403, path
        posted(walk, 403)


def posted(walk: Walk, status: int) -> None:
    """Each act, made as the page's own script would."""
    for act, body in {
        "audit": "targets=127.0.0.1",
        "recheck": f"check=X17&host={HOST}&port={PORT}",
        "accept": f"check=X17&host={HOST}&port={PORT}&who=x&why=y&until=2027-01-01",
        "weekly": "on=no&weekday=1&hour=1",
        "host": "",
    }.items():
        got = walk.page.evaluate(
            """async ([path, body]) => {
              const headers = {"Content-Type": "application/x-www-form-urlencoded"};
              return (await fetch(path, {method: "POST", headers, body})).status;
            }""",
            [f"/exposure/{act}", body],
        )
        walk.expected.add(status)
        assert got == status, act
