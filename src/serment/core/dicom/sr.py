"""Reads a structured report as lines of text: headings, labels and values, in the order written.

It decides what a person needs to read a report (DICOM PS3.3 C.17.3) and nothing about how it
looks; waveforms, coordinates and references to images are named, not resolved. The report comes
from a stranger: depth, lines and characters are bounded, and only `FormatError` is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from serment.core.dicom.elements import Budget, Elements, items
from serment.core.dicom.part10 import read_meta
from serment.core.dicom.syntax import Syntax
from serment.core.dicom.text import decode, encodings_of
from serment.core.dicom.walker import charset_terms, walk
from serment.errors import N_, FormatError

MAX_DEPTH: Final = 32  # headings inside one another
MAX_LINES: Final = 5000
MAX_CHARACTERS: Final = 1 << 20  # of all lines together
MAX_ELEMENTS: Final = 200_000

_CHARSET: Final = 0x00080005
_CODE_VALUE: Final = 0x00080100
_CODE_MEANING: Final = 0x00080104
_UNITS: Final = 0x004008EA
_VALUE_TYPE: Final = 0x0040A040
_CONCEPT_NAME: Final = 0x0040A043
_CONCEPT: Final = 0x0040A168
_MEASURED: Final = 0x0040A300
_NUMBER: Final = 0x0040A30A
_CONTENT: Final = 0x0040A730

_PLAIN: Final = {  # value type -> where its value stands
    "TEXT": 0x0040A160,
    "DATETIME": 0x0040A120,
    "DATE": 0x0040A121,
    "TIME": 0x0040A122,
    "PNAME": 0x0040A123,
}


class Line(NamedTuple):
    """One line: how deep it stands (from 0), what it is called, what it says ("" = a heading)."""

    depth: int
    label: str
    value: str


class Report(NamedTuple):
    """A report's title ("" when it has none) and its lines."""

    title: str
    lines: tuple[Line, ...]


class _Node(NamedTuple):
    elements: Elements
    order: Syntax
    encodings: tuple[str, ...]


def read_report(part10: bytes) -> Report:
    """Read a whole SR object.

    Args:
        part10: the DICOM file, bytes.

    Raises:
        FormatError: not a DICOM file, not a report, or larger than the limits of this module.
    """
    meta = read_meta(part10)
    header = walk(memoryview(part10)[meta.dataset_offset :], meta.transfer_syntax)
    if _VALUE_TYPE not in header.elements and _CONTENT not in header.elements:
        raise FormatError(
            N_("this object is not a structured report"),
            hint=N_("fetch the object itself and open it in a viewer"),
        )
    top = _Node(header.elements, header.syntax, encodings_of(header.charset))
    reading = _Reading()
    lines: list[Line] = []
    for line in reading.content(top, 0):
        reading.spend(line)
        lines.append(line)
    return Report(reading.named(top), tuple(lines))


class _Reading:
    """One report under way: what may still be read of it."""

    def __init__(self) -> None:
        self._budget = Budget(MAX_ELEMENTS)
        self._lines, self._characters = MAX_LINES, MAX_CHARACTERS

    def spend(self, line: Line) -> None:
        """Take one line off; `FormatError` when there are none left."""
        self._lines -= 1
        self._characters -= len(line.label) + len(line.value)
        if self._lines < 0 or self._characters < 0:
            raise FormatError(
                N_("the report is too long to be shown: more than {limit} lines"),
                hint=N_("fetch the object itself and open it in a viewer"),
                limit=MAX_LINES,
            )

    def content(self, node: _Node, depth: int) -> Iterator[Line]:
        """The lines of a container's content items."""
        if depth >= MAX_DEPTH:
            raise FormatError(N_("the report has headings more than {limit} deep"), limit=MAX_DEPTH)
        for item in self._items(node, _CONTENT):
            value, label = self._value(item), self.named(item)
            if value or label:
                yield Line(depth, label, value)
            yield from self.content(item, depth + 1 if value or label else depth)

    def named(self, node: _Node) -> str:
        """What an item is called: the meaning of its concept name."""
        return self._meaning(node, _CONCEPT_NAME)

    def _value(self, node: _Node) -> str:
        kind = _text(node, _VALUE_TYPE)
        if kind in _PLAIN:
            text = _text(node, _PLAIN[kind], _VRS[kind])
            return _SHOWN[kind](text) if kind in _SHOWN else text
        if kind == "CODE":
            return self._meaning(node, _CONCEPT)
        return self._measured(node) if kind == "NUM" else ""

    def _measured(self, node: _Node) -> str:
        for measured in self._items(node, _MEASURED):
            number, units = _text(measured, _NUMBER, "DS"), ""
            for unit in self._items(measured, _UNITS):
                units = _text(unit, _CODE_VALUE) or _text(unit, _CODE_MEANING)
            return f"{number} {units}".strip() if units != "1" else number
        return ""

    def _meaning(self, node: _Node, tag: int) -> str:
        for code in self._items(node, tag):
            return _text(code, _CODE_MEANING) or _text(code, _CODE_VALUE)
        return ""

    def _items(self, node: _Node, tag: int) -> list[_Node]:
        element = node.elements.get(tag)
        if element is None or not element[1]:
            return []
        return [
            _Node(elements, order, _encodings(elements, node.encodings))
            for order, elements in items(element[1], node.order, self._budget)
        ]


def _encodings(elements: Elements, outside: tuple[str, ...]) -> tuple[str, ...]:
    """An item may declare a character set of its own (PS3.5 section 6.1.2.5.4)."""
    if _CHARSET not in elements:
        return outside
    return encodings_of(charset_terms(elements[_CHARSET]))


def _text(node: _Node, tag: int, vr: str = "LO") -> str:
    element = node.elements.get(tag)
    return "" if element is None else decode(element[1], node.encodings, vr).strip()


_VRS: Final = {"TEXT": "UT", "DATETIME": "DT", "DATE": "DA", "TIME": "TM", "PNAME": "PN"}


def _person(text: str) -> str:
    """FAMILY Given, from a DICOM name."""
    return " ".join(part for part in text.split("=")[0].split("^") if part)


def _day(text: str) -> str:
    return f"{text[6:8]}/{text[4:6]}/{text[:4]}" if text[:8].isdecimal() and len(text) > 7 else text


def _hour(text: str) -> str:
    return f"{text[:2]}:{text[2:4]}" if text[:4].isdecimal() and len(text) > 3 else text


def _moment(text: str) -> str:
    return f"{_day(text[:8])} {_hour(text[8:])}".strip()


_SHOWN: Final[dict[str, Callable[[str], str]]] = {
    "PNAME": _person,
    "DATE": _day,
    "TIME": _hour,
    "DATETIME": _moment,
}
