"""The report on paper: the same words as the page (`handout`), set by the house's typesetter.

The picture goes in as a drawing of its own, its colours written out: no style sheet reaches it there.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from markupsafe import Markup

from serment.core.exposure.picture import picture_of
from serment.core.exposure.report import Report
from serment.entrypoints.reports.drawing import MIDDLE, draw, stylesheet
from serment.entrypoints.reports.handout import handout, saying
from serment.entrypoints.reports.head import About
from serment.ports import Typesetter

MOST: Final = 6  # machines drawn: a sheet holds no more
TEXT_MM: Final = 166  # width of a text on A4, as base.typ has it
HIGHEST_MM: Final = 225
COLOURS: Final = {  # theme.css, light
    "card": "#ffffff",
    "card-soft": "#faf9f6",
    "ink": "#1b292d",
    "muted": "#56666b",
    "line": "#dfdcd2",
    "line-strong": "#8a9496",
    "warn": "#855300",
    "warn-soft": "#fbf0d9",
    "bad": "#a1261d",
    "bad-soft": "#fbe7e4",
}


def paper(typesetter: Typesetter, report: Report, about: About, lang: str) -> bytes:
    """PDF/A and PDF/UA bytes."""
    drawn = picture_of(report, MOST)
    svg = draw(drawn, saying(lang), width=MIDDLE, addresses=report.addresses)
    data = handout(report, about, lang)
    data["picture"] = standing_alone(svg)
    data["height"] = min(HIGHEST_MM, _height(svg) * TEXT_MM / MIDDLE)
    return typesetter.render("exposure", data)


def standing_alone(svg: Markup) -> str:
    """The picture as a file of its own, with its colours inside."""
    named = '<svg xmlns="http://www.w3.org/2000/svg" font-family="Libertinus Serif" '
    opened = str(svg).replace("<svg ", named, 1)
    return opened.replace(">", f">{_style()}", 1)


def _height(svg: Markup) -> float:
    found = re.search(r'viewBox="0 0 \d+ (\d+)"', svg)
    return float(found[1]) if found else MIDDLE


@cache
def _style() -> str:
    plain = re.sub(r"var\(--([a-z-]+)\)", lambda found: COLOURS[found[1]], stylesheet())
    return f"<style>{plain}</style>"
