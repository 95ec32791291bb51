"""Charts say in words what they draw, pass a strict CSP and cannot be broken by a label."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from markupsafe import Markup

from serment.entrypoints.web import charts
from serment.entrypoints.web.charts import Part

HOSTILE = "<script>&\"'>"
PARTS = [Part("Scanner", 12, "12 examens"), Part(HOSTILE, 4, HOSTILE, "bad"), Part("Aucun", 0, "0")]
HOURS = [Part(f"{hour} h", hour % 5, f"{hour % 5} lectures") for hour in range(24)]
SVG = "{http://www.w3.org/2000/svg}"

PICTURES = {
    "bars": charts.bars("Titre", "En mots", PARTS),
    "stacked": charts.stacked("Titre", "En mots", PARTS),
    "stacked rows": charts.stacked_rows(
        "Titre", "En mots", [("Patients", PARTS), (HOSTILE, [])], [("good", HOSTILE)]
    ),
    "sparkline": charts.sparkline("Titre", "En mots", [3, 1, 2]),
    "flat": charts.sparkline("Titre", "En mots", [2, 2]),
    "heat": charts.heat_strip("Titre", "En mots", HOURS),
    "ring": charts.ring("Titre", "En mots", 0.25, HOSTILE),
    "no bars": charts.bars("Titre", "En mots", []),
    "no parts": charts.stacked("Titre", "En mots", []),
    "no values": charts.sparkline("Titre", "En mots", []),
    "no hours": charts.heat_strip("Titre", "En mots", []),
    "hostile title": charts.ring(HOSTILE, HOSTILE, 7, "x"),
}


@pytest.mark.parametrize("picture", PICTURES.values(), ids=PICTURES)
def test_a_chart_is_a_named_picture_without_style_or_script(picture: Markup) -> None:
    root = ElementTree.fromstring(picture)
    assert root.tag == "svg"
    assert root.get("role") == "img"
    assert root.get("aria-label")
    assert root.find("title").text
    assert root.find("desc").text
    names = {name for element in root.iter() for name in element.attrib}
    assert not names & {"style", "id"}
    assert not [name for name in names if name.startswith("on")]
    assert "script" not in {element.tag for element in root.iter()}


def test_the_longest_bar_fills_the_room_and_others_follow() -> None:
    root = ElementTree.fromstring(PICTURES["bars"])
    widths = [float(bar.get("width")) for bar in root.findall("rect")]
    assert widths == [240.0, 80.0, 0.0]
    assert [text.text for text in root.findall("text")][2:4] == [HOSTILE, HOSTILE]


def test_stacked_rows_have_one_scale_and_show_the_least() -> None:
    rows = [
        ("Un", [Part("a", 499_999, "a"), Part("b", 1, "b"), Part("c", 0, "0")]),
        ("La moitié", [Part("a", 250_000, "a")]),
        ("Rien", []),
    ]
    root = ElementTree.fromstring(charts.stacked_rows("Titre", "En mots", rows, []))
    widths = [float(bar.get("width")) for bar in root.findall("rect")]
    assert widths == [327.0, 3.0, 166.5, 330.0]
    assert [bar.get("class") for bar in root.findall("rect")][-1] == "chart-none"


def test_stacked_shares_fill_the_width() -> None:
    root = ElementTree.fromstring(PICTURES["stacked"])
    shares = [bar for bar in root.findall("rect") if bar.get("y") == "0"]
    assert [float(bar.get("width")) for bar in shares] == [360.0, 120.0, 0.0]
    assert [float(bar.get("x")) for bar in shares] == [0.0, 360.0, 480.0]


def test_the_line_runs_from_left_to_right_between_lowest_and_highest() -> None:
    points = re.search(r'points="([^"]*)"', PICTURES["sparkline"]).group(1)
    assert points == "4,4 80,28 156,16"


@pytest.mark.parametrize(
    ("value", "level"), [(0, 0), (-1, 0), (0.1, 1), (25, 1), (26, 2), (75, 3), (100, 4)]
)
def test_heat_has_five_levels(value: float, level: int) -> None:
    assert charts.heat_level(value, 100) == level


def test_each_hour_says_what_happened() -> None:
    root = ElementTree.fromstring(PICTURES["heat"])
    titles = [cell.find("title").text for cell in root.findall("rect")]
    assert len(titles) == 24
    assert titles[9] == "9 h: 4 lectures"


@pytest.mark.parametrize(("fraction", "filled"), [(-1, 0), (0.25, 95.8), (1, 383.3), (7, 383.3)])
def test_the_ring_is_filled_by_its_share(fraction: float, filled: float) -> None:
    dashes = re.search(r'stroke-dasharray="([\d.]+) ', charts.ring("t", "d", fraction, "x")).group(
        1
    )
    assert float(dashes) == pytest.approx(filled, abs=0.1)
