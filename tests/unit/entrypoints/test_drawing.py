"""The picture of the practice as SVG: well formed, within its frame, bounded, and safe whatever a peer says."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from serment.core.exposure.findings import Confidence, Finding, Outside, Place, Severity
from serment.core.exposure.machines import Forwarding, Machine
from serment.core.exposure.picture import Picture, picture
from serment.core.exposure.registry import CHECKS
from serment.core.exposure.words import Kind
from serment.entrypoints.language import say as translated
from serment.entrypoints.reports.drawing import MIDDLE, NARROW, WIDE, draw, stylesheet

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '<script>alert(1)</script>"&{x} --'
SEVERITIES = list(Severity)


def french(message: str, values: object) -> str:
    return translated(message, "fr", **dict(values))  # type: ignore[call-overload]


def practice(machines: int, findings: int) -> Picture:
    kinds = list(Kind)
    names = list(CHECKS)
    seen = [Machine(f"10.0.0.{n}", kinds[n % len(kinds)], HOSTILE) for n in range(machines)]
    stated = []
    for n in range(findings):
        check = CHECKS[names[n % len(names)]]
        place = Place(f"10.0.0.{n % machines}", 1000 + n)
        outside = list(Outside)[n % 4]
        stated.append(
            Finding(
                check.id,
                place,
                SEVERITIES[n % 5],
                Confidence.LIKELY,
                check.title,
                check.remedy,
                "",
                outside=outside,
            )
        )
    return picture(stated, seen, [Forwarding(443, "10.0.0.2", 443)])


def parsed(svg: str) -> ElementTree.Element:
    named = str(svg).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return ElementTree.fromstring(named)


@pytest.mark.parametrize("width", [WIDE, MIDDLE, NARROW])
@pytest.mark.parametrize(("machines", "findings"), [(1, 0), (3, 4), (25, 60), (254, 1700)])
def test_it_stays_within_its_frame(width: int, machines: int, findings: int) -> None:
    root = parsed(draw(practice(machines, findings), french, width=width, addresses=254))
    _, _, wide, high = map(float, root.attrib["viewBox"].split())
    assert wide == width
    assert high < 7000
    for box in root.iter(f"{SVG}rect"):
        x, y = float(box.attrib["x"]), float(box.attrib["y"])
        assert x >= 0
        assert x + float(box.attrib["width"]) <= wide
        assert y + float(box.attrib["height"]) <= high
    for text in root.iter(f"{SVG}text"):
        assert 0 < float(text.attrib["y"]) < high
        assert len(text.text or "") * 5 < wide - float(text.attrib["x"]) + 10


def test_cards_do_not_overlap() -> None:
    root = parsed(draw(practice(25, 60), french))
    boxes = [
        tuple(float(box.attrib[name]) for name in ("x", "y", "width", "height"))
        for box in root.iter(f"{SVG}rect")
    ]
    for n, (x, y, w, h) in enumerate(boxes):
        for x2, y2, w2, h2 in boxes[n + 1 :]:
            assert x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y


def test_a_peer_cannot_write_markup_or_styles() -> None:
    svg = str(draw(practice(3, 4), french))
    assert "<script" not in svg
    assert "style=" not in svg
    assert "http" not in svg


def test_it_is_named_and_described_in_the_readers_words() -> None:
    root = parsed(draw(practice(3, 4), french))
    assert root.attrib["role"] == "img"
    assert [child.tag for child in root[:2]] == [f"{SVG}title", f"{SVG}desc"]
    assert "vu par des inconnus" in root.attrib["aria-label"]
    assert "Machines ouvertes à tout Internet" in (root[1].text or "")


def test_every_class_has_its_colour() -> None:
    drawn = draw(practice(25, 60), french, addresses=9) + draw(practice(1, 0), french)
    used = {name for names in re.findall(r'class="([^"]+)"', drawn) for name in names.split()}
    plain = {
        "chart",
        "map-node-calm",
        "map-line-net",
        "map-card-soft",
    }  # the look of the common class
    assert used - plain <= set(re.findall(r"\.([a-z-]+)", stylesheet()))
