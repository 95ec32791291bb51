"""The strokes the picture of the practice is made of: lines, nodes, icons, marks, and text that fits.

What is drawn where is `drawing`; colours are `static/picture.css`.
"""

from __future__ import annotations

from typing import Final

from markupsafe import Markup

from serment.core.exposure.findings import Severity
from serment.core.exposure.words import TONES
from serment.entrypoints.reports.icons import SHAPES

CHARACTER: Final = 6.6  # mean width at 12 pixels, in wide fonts


def line(name: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    """A line of the class `map-line-NAME`; nothing without a name or a length."""
    if not name or (x1, y1) == (x2, y2):
        return Markup("")
    return Markup('<path class="map-line map-line-{}" d="M{} {}L{} {}"/>').format(
        name, coordinate(x1), coordinate(y1), coordinate(x2), coordinate(y2)
    )


def start_at(x: float, y: float) -> Markup:
    """Where a line begins that the practice's own network reaches."""
    circle = '<circle class="map-start" cx="{}" cy="{}" r="4"/>'
    return Markup(circle).format(coordinate(x), coordinate(y))


def node(x: float, y: float, path: str, tone: str) -> Markup:
    """A circle with an icon in it: the Internet, the box."""
    circle = Markup('<circle class="map-node map-node-{}" cx="{}" cy="{}" r="22"/>').format(
        tone or "calm", coordinate(x), coordinate(y)
    )
    return circle + icon(path, x - 12, y - 12)


def icon(path: str, x: float, y: float) -> Markup:
    """A drawing of 24 by 24, its upper left corner there."""
    return Markup('<path class="map-icon" transform="translate({} {})" d="{}"/>').format(
        coordinate(x), coordinate(y), path
    )


def mark(severity: Severity, x: float, y: float) -> Markup:
    """The shape of a severity, 12 by 12."""
    return Markup('<path class="map-{}" transform="translate({} {})" d="{}"/>').format(
        TONES[severity], coordinate(x), coordinate(y), SHAPES[severity]
    )


def text_at(name: str, x: float, y: float, text: str) -> Markup:
    """One line of text of the class `map-NAME`; nothing for none."""
    if not text:
        return Markup("")
    return Markup('<text class="map-{}" x="{}" y="{}">{}</text>').format(
        name, coordinate(x), coordinate(y), text
    )


def cut(text: str, room: float, scale: float = 1.0) -> str:
    """The text as far as it fits `room`, in pixels; `scale`: of its letters."""
    most = max(4, int(room / (CHARACTER * scale)))
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def wrapped(text: str, room: float, most: int) -> list[str]:
    """At most `most` lines of words that fit; the last is cut."""
    limit = max(8, int(room / CHARACTER))
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > limit:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    if len(lines) > most:
        lines[most - 1] = " ".join(lines[most - 1 :])
    return [cut(each, room) for each in lines[:most]]


def coordinate(value: float) -> str:
    """A number of the drawing, with at most one decimal."""
    return f"{value:.1f}".removesuffix(".0")
