"""After a breach, in the browser: the form shows what goes with each case, and the answer is a picture,
a table and its evidence, in both languages and on a narrow window."""

from __future__ import annotations

from datetime import datetime

import pytest
from tests.e2e.screens.walk import Door, Walk

pytestmark = pytest.mark.real("chromium", "node")


def ask(walk: Walk, what: str, **fields: str) -> None:
    """Fill the form for that case and send it."""
    walk.go("/breach")
    walk.page.check(f"input[name=what][value={what}]")
    fields = {"from": datetime.now().strftime("%Y-%m-%dT%H:%M:%S"), **fields}
    for name, value in fields.items():
        if name == "known":
            walk.page.check(f"input[name=known][value={value}]")
        elif name == "account":
            walk.page.select_option("[name=account]", value)
        else:
            walk.page.fill(f"[name={name}]", value)
    walk.page.click("#breach button")
    walk.page.locator("#found .radius").wait_for()
    walk.page.evaluate("scrollTo(0, 0)")  # what the bar at the top half covers counts as too small


@pytest.mark.parametrize(
    ("lang", "size"), [("fr", {}), ("en", {"width": 360, "height": 740}), ("fr", {"width": 360})]
)
def test_whom_it_reached(door: Door, lang: str, size: dict[str, int]) -> None:
    number = ("fr", "en").index(lang)
    with door("docteur", lang=lang, **size) as walk:
        walk.go("/breach")
        shown = {
            name: walk.page.locator(f"[name={name}]").first
            for name in ("to", "account", "listener", "known")
        }
        cases = {
            "disk": {"known"},
            "backup": {"known"},
            "account": {"to", "account"},
            "server": {"to", "known"},
            "listener": {"to", "listener"},
        }
        for what, expected in cases.items():
            walk.page.check(f"input[name=what][value={what}]")
            assert {name for name, field in shown.items() if field.is_visible()} == expected
        walk.check(f"breach {lang}")
        ask(walk, "disk", known="docteur")
        walk.has(("Un voleur lit tout", "A thief reads everything")[number], "#found")
        assert walk.page.url.endswith("/breach"), "nothing of it stands in the address"
        walk.check(f"radius {lang}")
        ask(walk, "account", account="docteur", **{"from": "2026-01-01T00:00"})
        walk.has(("Patients concernés", "Patients concerned")[number], "#found")
        assert walk.page.locator("#found svg.chart rect").count() > 5
        walk.check(f"account {lang}")


def test_an_administrator_sees_no_name(door: Door) -> None:
    with door("admin", lang="fr") as walk:
        ask(walk, "disk", known="docteur")
        walk.has("Vos clés ne nomment aucun patient", "#found")
        assert "LEFÈVRE" not in walk.text()
