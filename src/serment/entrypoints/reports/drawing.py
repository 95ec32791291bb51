"""Draws the picture of the practice (`core.exposure.picture`) as SVG: the same for web, page and paper.

Internet on top, the box below it, then the practice's network with its machines in one, two or
three columns, as wide as the reader has room. Who can be reached hangs on a red line: whole when the
Internet comes in, broken when nobody looked, beginning inside when only the practice can. Colours by
class (`static/picture.css`), never alone: each line, shape and machine says the same in words. Texts
are escaped; what a peer called itself was cleaned before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from markupsafe import Markup

from serment.core.exposure.findings import Finding
from serment.core.exposure.picture import (
    RED,
    WAYS,
    Group,
    Picture,
    Spot,
    Way,
    detailed,
    from_internet,
    grouped,
    summed,
)
from serment.core.exposure.report import Say
from serment.core.exposure.words import KINDS, SEVERITIES, TONES, Kind
from serment.entrypoints.reports.icons import ICONS, INTERNET
from serment.entrypoints.reports.strokes import (
    CHARACTER,
    coordinate,
    cut,
    icon,
    line,
    mark,
    node,
    start_at,
    text_at,
    wrapped,
)
from serment.entrypoints.web import charts
from serment.errors import N_

WIDE, MIDDLE, NARROW = 960, 660, 330
SPINE = 26  # x of the line from the Internet down
HEAD = 206  # y of the practice's network
GAP = 16
SHOWN = 3  # findings written on one machine
LEGEND = 290  # width of the legend
LINES = (
    (Way.OUTSIDE, N_("open to the whole Internet")),
    (Way.UNKNOWN, N_("not checked from outside")),
    (Way.INSIDE, N_("open in the practice's network")),
)


@dataclass(frozen=True, slots=True)
class Card:
    """One machine as it will stand: where, how high, and its lines of text."""

    spot: Spot
    x: float
    y: float
    width: float
    height: float
    inside: Markup

    @property
    def door(self) -> float:
        """The height at which the line comes in."""
        return self.y + 24


@cache
def stylesheet() -> str:
    """The colours of the picture, for a page of its own: variables as in `static/theme.css`."""
    return (files("serment.entrypoints.web") / "static" / "picture.css").read_text("utf-8")


def draw(picture: Picture, say: Say, *, width: int = WIDE, addresses: int = 0) -> Markup:
    """The picture as one SVG element.

    Args:
        picture: what stands on it.
        say: puts words into the reader's language.
        width: of the drawing: `WIDE` for three columns, `MIDDLE` for two, `NARROW` for one.
        addresses: how many were looked at; 0 when unknown.
    """
    columns = 3 if width >= WIDE else 2 if width >= MIDDLE else 1
    cards, foot = _placed(picture.spots, say, width, columns)
    quiet, height = _strip(picture, say, width, foot + 6 if cards else HEAD + 30)
    inside = Markup("").join(
        (
            _head(picture, say, width, addresses),
            _network(picture, cards, width, columns),
            *(each.inside for each in cards),
            quiet,
        )
    )
    return charts.frame(
        say(N_("The practice as strangers see it"), {}), summed(picture, say), width, height, inside
    )


def _head(picture: Picture, say: Say, width: int, addresses: int) -> Markup:
    """Internet, the way in, the box, the network's name."""
    way = picture.outside
    box = picture.box
    room = width - SPINE - 40
    about = " · ".join(filter(None, (box.machine.host, box.machine.product)))
    about = about or say(N_("not seen: its rules are not known"), {})
    worst = box.findings[0] if box.findings else None
    network = say(N_("The practice's network"), {})
    if addresses and width >= MIDDLE:
        looked = say(N_("addresses looked at: {count}"), {"count": addresses})
        network = f"{network} · {looked}"
    return Markup("").join(
        (
            line("net" if way is Way.INSIDE else "", SPINE, 46, SPINE, 116),
            _way_line(way, SPINE, 46, SPINE, 116),
            node(SPINE, 24, INTERNET, "open" if way in RED else ""),
            text_at("strong", SPINE + 34, 22, say(N_("Internet"), {})),
            text_at("muted", SPINE + 34, 38, say(N_("anybody, anywhere"), {})),
            text_at(
                "bad" if way in RED else "muted",
                SPINE + 34,
                84,
                cut(from_internet(picture, say), room),
            ),
            node(SPINE, 138, ICONS[Kind.BOX], "open" if box.is_open else ""),
            text_at("strong", SPINE + 34, 134, say(KINDS[Kind.BOX], {})),
            _finding_line(worst, say, SPINE + 34, 152, room)
            if worst
            else text_at("muted", SPINE + 34, 152, cut(about, room)),
            text_at("muted", SPINE + 34, 170, cut(about, room)) if worst and about else "",
            text_at("small", SPINE + 34, HEAD - 8, cut(network, room)),
            _legend(picture, say, width) if width >= MIDDLE else "",
        )
    )


def _legend(picture: Picture, say: Say, width: int) -> Markup:
    """What the red lines mean, where there is room beside the Internet."""
    if not any(each.is_open for each in (picture.box, *picture.spots)):
        return Markup("")
    x, parts = width - LEGEND, []
    for row, (way, text) in enumerate(LINES):
        y = 18 + row * 22
        if way is Way.INSIDE:
            parts.append(line("open", x + 12, y, x + 36, y) + start_at(x + 8, y))
        else:
            parts.append(_way_line(way, x + 4, y, x + 36, y))
        parts.append(text_at("muted", x + 46, y + 4, cut(say(text, {}), LEGEND - 50)))
    return Markup("").join(parts)


def _network(picture: Picture, cards: Sequence[Card], width: int, columns: int) -> Markup:
    """The practice's lines: grey first, then what nobody checked, then what is open."""
    trunks = [_trunk(width, columns, index) for index in range(columns)]
    used = sorted({trunks.index(_left(card)) for card in cards}) or [0]
    lines = [
        line("net", SPINE, 160, SPINE, HEAD),
        line("net", SPINE, HEAD, trunks[used[-1]], HEAD),
    ]
    for index in used:
        doors = [card.door for card in cards if _left(card) == trunks[index]]
        lines.append(line("net", trunks[index], HEAD, trunks[index], max(doors, default=HEAD + 10)))
    for way in (Way.UNKNOWN, Way.OUTSIDE):
        lines.extend(_reached(cards, trunks, way))
    lines.extend(_stub(card) for card in cards)
    return Markup("").join(lines)


def _reached(cards: Sequence[Card], trunks: Sequence[float], way: Way) -> Iterable[Markup]:
    """From the box to the lowest machine of each column that is reached this way."""
    ends: dict[float, float] = {}
    for card in cards:
        if card.spot.is_open and _line_of(card.spot.way) is way:
            ends[_left(card)] = max(card.door, ends.get(_left(card), 0))
    if not ends:
        return
    yield _way_line(way, SPINE, 160, SPINE, HEAD)
    yield _way_line(way, SPINE, HEAD, max(ends), HEAD)
    for trunk, end in ends.items():
        yield _way_line(way, trunk, HEAD, trunk, end)


def _line_of(way: Way) -> Way:
    return Way.OUTSIDE if way in RED else way


def _stub(card: Card) -> Markup:
    """The last piece of the line, with an arrow where something is open."""
    left, door = _left(card), card.door
    if not card.spot.is_open:
        return line("net", left, door, card.x, door)
    arrow = Markup('<path class="map-arrow" d="M{} {}l-8-5v10z"/>').format(
        coordinate(card.x), coordinate(door)
    )
    start = "" if card.spot.way in RED else start_at(left, door)
    return line("open", left, door, card.x - 6, door) + arrow + start


def _placed(spots: Sequence[Spot], say: Say, width: int, columns: int) -> tuple[list[Card], float]:
    """Every machine in the shortest column; and where the last one ends."""
    feet = [float(HEAD + 18)] * columns
    cards = []
    room = (width - 14) / columns
    for spot in spots:
        column = feet.index(min(feet))
        x = _trunk(width, columns, column) + 26
        card = _card(spot, say, x, feet[column], room - 26 - GAP + (6 if columns == 1 else 0))
        cards.append(card)
        feet[column] += card.height + GAP
    return cards, max(feet)


def _trunk(width: int, columns: int, column: int) -> float:
    return SPINE + column * (width - 14) / columns if columns > 1 else 12


def _left(card: Card) -> float:
    return card.x - 26


def _card(spot: Spot, say: Say, x: float, y: float, width: float) -> Card:
    machine = spot.machine
    about = " · ".join(filter(None, (machine.host, machine.product)))
    left, room = x + 12, width - 24
    lines = [
        icon(ICONS[machine.kind], left, y + 12),
        text_at("strong", left + 32, y + 22, cut(say(KINDS[machine.kind], {}), room - 32, 1.08)),
        text_at("muted", left + 32, y + 38, cut(about, room - 32)),
    ]
    at = y + 60
    for finding in spot.findings[:SHOWN]:
        drawn, at = _stated(finding, say, left, at, room)
        lines.append(drawn)
    if len(spot.findings) > SHOWN:
        more = say(N_("and {count} more"), {"count": len(spot.findings) - SHOWN})
        lines.append(text_at("muted", left + 18, at, more))
        at += 18
    for part in wrapped(say(WAYS[spot.way], {}), room, 3):
        lines.append(text_at("bad" if spot.way in RED else "muted", left, at + 4, part))
        at += 16
    height = at - y + 2
    tone = "open" if spot.way in RED else TONES[spot.severity] if spot.severity else "quiet"
    frame = Markup(
        '<rect class="map-card map-card-{}" x="{}" y="{}" width="{}" height="{}" rx="8"/>'
    ).format(tone, coordinate(x), coordinate(y), coordinate(width), coordinate(height))
    return Card(spot, x, y, width, height, frame + Markup("").join(lines))


def _stated(finding: Finding, say: Say, x: float, y: float, room: float) -> tuple[Markup, float]:
    """One finding on a machine: shape and word of its severity, title, port and count."""
    head = f"{say(SEVERITIES[finding.severity], {})}"
    lines = [mark(finding.severity, x, y - 10), text_at(_tone(finding), x + 18, y, head)]
    for part in wrapped(say(finding.title, {}), room - 18, 2):
        y += 16
        lines.append(text_at("label", x + 18, y, part))
    if detail := detailed(finding, say):
        y += 15
        lines.append(text_at("small", x + 18, y, cut(detail, room - 18, 0.95)))
    return Markup("").join(lines), y + 22


def _finding_line(finding: Finding, say: Say, x: float, y: float, room: float) -> Markup:
    text = f"{say(SEVERITIES[finding.severity], {})} · {say(finding.title, {})}"
    before = mark(finding.severity, x, y - 10)
    return before + text_at(_tone(finding), x + 18, y, cut(text, room - 18))


def _strip(picture: Picture, say: Say, width: int, y: float) -> tuple[Markup, int]:
    """The machines that are only counted, and the height of the whole."""
    parts: list[Markup] = []
    if picture.rest:
        parts.append(text_at("strong", 12, y + 14, say(N_("Other machines with findings"), {})))
        x, y = 12.0, y + 30
        for severity, count in picture.rest:
            text = f"{say(SEVERITIES[severity], {})} × {count}"
            size = 34 + len(text) * CHARACTER
            if x + size > width and x > 12:
                x, y = 12.0, y + 24
            parts.append(mark(severity, x, y - 2) + text_at("label", x + 18, y + 8, text))
            x += size
        y += 28
    for way, groups in ((Way.UNCLEAR, picture.unclear), (Way.QUIET, picture.quiet)):
        if groups:
            parts.append(text_at("strong", 12, y + 14, say(WAYS[way], {})))
            drawn, y = _chips(groups, say, width, y + 26)
            parts.append(drawn)
    return Markup("").join(parts), round(y + 8)


def _chips(groups: Sequence[Group], say: Say, width: int, y: float) -> tuple[Markup, float]:
    parts, x = [], 2.0
    for group in groups:
        text = cut(grouped(group, say), width - 60)
        size = min(width - 4.0, 48 + len(text) * CHARACTER)
        if x + size > width and x > 2:
            x, y = 2.0, y + 40
        parts.append(
            Markup(
                '<rect class="map-card map-card-quiet" x="{}" y="{}" width="{}" height="32" rx="8"/>'
            ).format(coordinate(x), coordinate(y), coordinate(size))
            + icon(ICONS[group.kind], x + 8, y + 4)
            + text_at("muted", x + 38, y + 21, text)
        )
        x += size + 8
    return Markup("").join(parts), y + 40


def _way_line(way: Way, x1: float, y1: float, x2: float, y2: float) -> Markup:
    name = "open" if way in RED else "unknown" if way is Way.UNKNOWN else "net"
    return line(name, x1, y1, x2, y2)


def _tone(finding: Finding) -> str:
    return {"bad": "bad", "warn": "warned"}.get(TONES[finding.severity], "muted")
