"""Draws small charts as SVG text on the server: bars, stacked bars, sparkline, heat strip, ring.

A chart is a picture with a title and a description for those who cannot see it (role="img", title
and desc), sizes as SVG attributes, colours by class (`static/` owns them): no style attribute, so
that it passes a strict Content-Security-Policy. Every text is escaped. What is drawn, and in which
words, is the caller's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

ROW = 26  # height of a bar with its label, in SVG units (pixels at scale 1)
BAR = 14
LABELS = 150  # width kept for the labels left of bars


@dataclass(frozen=True, slots=True)
class Part:
    """One value of a chart: its label, its size, how it reads, and its CSS class `chart-TONE`."""

    label: str
    value: float
    text: str
    tone: str = "main"


def bars(title: str, description: str, parts: Sequence[Part], *, width: int = 480) -> Markup:
    """Horizontal bars, the longest as wide as the room; label left, value in words right."""
    room = width - LABELS - 90
    most = max((part.value for part in parts), default=0) or 1
    rows = Markup("").join(
        Markup(
            '<text class="chart-label" x="0" y="{y}">{label}</text>'
            '<rect class="chart-{tone}" x="{left}" y="{top}" width="{size}" height="{bar}" rx="2"/>'
            '<text class="chart-value" x="{end}" y="{y}">{text}</text>'
        ).format(
            y=index * ROW + 17,
            top=index * ROW + 6,
            left=LABELS,
            bar=BAR,
            size=_round(room * max(0, part.value) / most),
            end=_round(LABELS + room * max(0, part.value) / most + 8),
            label=part.label,
            text=part.text,
            tone=part.tone,
        )
        for index, part in enumerate(parts)
    )
    return frame(title, description, width, max(1, len(parts)) * ROW, rows)


def stacked(title: str, description: str, parts: Sequence[Part], *, width: int = 480) -> Markup:
    """One bar of several shares, with a legend of squares, labels and values below it."""
    whole = _whole(parts) or 1
    drawn, legend, left = [], [], 0.0
    for index, part in enumerate(parts):
        size = width * max(0, part.value) / whole
        drawn.append(
            Markup('<rect class="chart-{}" x="{}" y="0" width="{}" height="22"/>').format(
                part.tone, _round(left), _round(size)
            )
        )
        legend.append(
            Markup(
                '<rect class="chart-{tone}" x="0" y="{top}" width="12" height="12" rx="2"/>'
                '<text class="chart-label" x="20" y="{y}">{label}</text>'
                '<text class="chart-value" x="{end}" y="{y}" text-anchor="end">{text}</text>'
            ).format(
                tone=part.tone,
                top=34 + index * 20,
                y=44 + index * 20,
                label=part.label,
                text=part.text,
                end=width,
            )
        )
        left += size
    inside = Markup("").join(drawn + legend)
    return frame(title, description, width, 34 + max(1, len(parts)) * 20, inside)


def stacked_rows(
    title: str,
    description: str,
    rows: Sequence[tuple[str, Sequence[Part]]],
    legend: Sequence[tuple[str, str]],
    *,
    width: int = 480,
) -> Markup:
    """A stacked bar for each (label, shares), all on one scale, the longest as wide as the room; the
    legend is (tone, label) and stands below. A share that is not nothing is at least seen."""
    longest = max((_whole(parts) for _, parts in rows), default=0) or 1
    drawn = [
        _stacked_row(label, parts, index, width, longest)
        for index, (label, parts) in enumerate(rows)
    ]
    foot = len(rows) * ROW + 8
    step = width / max(1, len(legend))
    for index, (tone, label) in enumerate(legend):
        drawn.append(
            Markup(
                '<rect class="chart-{tone}" x="{x}" y="{top}" width="12" height="12" rx="2"/>'
                '<text class="chart-label" x="{after}" y="{y}">{label}</text>'
            ).format(
                tone=tone,
                x=_round(index * step),
                after=_round(index * step + 18),
                top=foot,
                y=foot + 10,
                label=label,
            )
        )
    return frame(title, description, width, foot + 20, Markup("").join(drawn))


SEEN = 3  # the least width of a share that is not nothing


def _whole(parts: Sequence[Part]) -> float:
    return sum(max(0, part.value) for part in parts)


def _stacked_row(
    label: str, parts: Sequence[Part], index: int, width: int, longest: float
) -> Markup:
    left, room = float(LABELS), width - LABELS
    some = [part for part in parts if part.value > 0]
    drawn = [
        Markup('<text class="chart-label" x="0" y="{}">{}</text>').format(index * ROW + 17, label)
    ]
    if not some:
        drawn.append(_share("none", left, index, room, label, "0"))
    for part in some:
        size = SEEN + (room - SEEN * len(some)) * part.value / longest
        drawn.append(_share(part.tone, left, index, size, part.label, part.text))
        left += size
    return Markup("").join(drawn)


def _share(tone: str, left: float, index: int, size: float, label: str, text: str) -> Markup:
    return Markup(
        '<rect class="chart-{tone}" x="{x}" y="{y}" width="{size}" height="{bar}">'
        "<title>{label}: {text}</title></rect>"
    ).format(
        tone=tone,
        x=_round(left),
        y=index * ROW + 6,
        size=_round(size),
        bar=BAR,
        label=label,
        text=text,
    )


def sparkline(
    title: str, description: str, values: Sequence[float], *, width: int = 160, height: int = 32
) -> Markup:
    """A line of values from left to right, lowest at the foot; its last point is marked."""
    if not values:
        return frame(title, description, width, height, Markup(""))
    low, span = min(values), (max(values) - min(values)) or 1
    step = (width - 8) / max(1, len(values) - 1)
    points = [
        (_round(4 + index * step), _round(height - 4 - (height - 8) * (value - low) / span))
        for index, value in enumerate(values)
    ]
    inside = Markup(
        '<polyline class="chart-line" fill="none" points="{}"/>'
        '<circle class="chart-main" cx="{}" cy="{}" r="3"/>'
    ).format(" ".join(f"{x},{y}" for x, y in points), *points[-1])
    return frame(title, description, width, height, inside)


def heat_strip(
    title: str, description: str, hours: Sequence[Part], *, width: int = 480, height: int = 40
) -> Markup:
    """A day as cells side by side (24 hours, or any number), darker the more happened.

    Each cell carries its own title ("9 h: 12 readings"), and the level as a class
    `chart-heat-0` to `chart-heat-4`; the label of every sixth cell stands below.
    """
    most = max((hour.value for hour in hours), default=0)
    cell = width / max(1, len(hours))
    cells = Markup("").join(
        Markup(
            '<rect class="chart-heat-{level}" x="{x}" y="0" width="{size}" height="{height}">'
            "<title>{label}: {text}</title></rect>"
        ).format(
            level=heat_level(hour.value, most),
            x=_round(index * cell),
            size=_round(cell - 1),
            height=height - 16,
            label=hour.label,
            text=hour.text,
        )
        for index, hour in enumerate(hours)
    )
    labels = Markup("").join(
        Markup('<text class="chart-label" x="{}" y="{}">{}</text>').format(
            _round(index * cell), height - 3, hour.label
        )
        for index, hour in enumerate(hours)
        if index % 6 == 0
    )
    return frame(title, description, width, height, cells + labels)


def heat_level(value: float, most: float) -> int:
    """0 for nothing, else 1 to 4 by quarters of the most."""
    if value <= 0 or most <= 0:
        return 0
    return min(4, max(1, math.ceil(4 * value / most)))


def ring(
    title: str,
    description: str,
    fraction: float,
    text: str,
    *,
    tone: str = "main",
    size: int = 140,
) -> Markup:
    """A ring filled clockwise from the top by `fraction` (0 to 1), a text in its middle.

    Used for the 72 hours of GDPR Art. 33(1): the caller gives the elapsed share and the words.
    """
    radius = size / 2 - 9
    around = 2 * math.pi * radius
    filled = around * min(1.0, max(0.0, fraction))
    inside = Markup(
        '<circle class="chart-track" cx="{c}" cy="{c}" r="{r}" fill="none" stroke-width="14"/>'
        '<circle class="chart-ring-{tone}" cx="{c}" cy="{c}" r="{r}" fill="none" stroke-width="14"'
        ' stroke-dasharray="{filled} {rest}" transform="rotate(-90 {c} {c})"/>'
        '<text class="chart-center" x="{c}" y="{y}" text-anchor="middle">{text}</text>'
    ).format(
        c=_round(size / 2),
        r=_round(radius),
        y=_round(size / 2 + 6),
        filled=_round(filled),
        rest=_round(around - filled),
        tone=tone,
        text=text,
    )
    return frame(title, description, size, size, inside)


def frame(title: str, description: str, width: int, height: int, inside: Markup) -> Markup:
    """The frame of every chart and picture. Named by its title, so that no id is needed twice on a
    page."""
    return Markup(
        '<svg class="chart" role="img" aria-label="{name}" viewBox="0 0 {width} {height}"'
        ' width="{width}" height="{height}"><title>{title}</title><desc>{description}</desc>'
        "{inside}</svg>"
    ).format(
        name=f"{title}. {description}" if description else title,
        width=width,
        height=height,
        title=escape(title),
        description=escape(description),
        inside=inside,
    )


def _round(value: float) -> str:
    """A coordinate with at most one decimal."""
    return f"{value:.1f}".removesuffix(".0")
