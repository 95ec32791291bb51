"""Turns the bytes of a value into what the DICOM JSON model wants for its VR.

It decides numbers, names and lists; sequences and large values are `json`'s work.
Source: DICOM PS3.5 section 6.2 and PS3.18 F.2.3.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from struct import unpack
from typing import Any, Final

from serment.core.dicom.syntax import Syntax
from serment.core.dicom.text import decode

ONE_TEXT: Final = frozenset({"LT", "ST", "UT", "UR"})  # a backslash is a character here
TEXT: Final = (
    frozenset(("AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "PN", "SH", "TM", "UC", "UI"))
    | ONE_TEXT
)
NUMBERS: Final = {
    "FL": ("f", 4),
    "FD": ("d", 8),
    "SS": ("h", 2),
    "US": ("H", 2),
    "SL": ("i", 4),
    "UL": ("I", 4),
    "SV": ("q", 8),
    "UV": ("Q", 8),
    "AT": ("H", 2),
}
"""VRs of binary numbers: struct code and width in bytes."""
BINARY: Final = {"OB": 1, "UN": 1, "OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}
"""VRs of bytes given as base64, and the width of the words they are made of."""

_GROUPS: Final = ("Alphabetic", "Ideographic", "Phonetic")
_IS_LIMIT: Final = 1 << 31


def value_list(vr: str, value: bytes, order: Syntax, encodings: Sequence[str]) -> list[Any] | None:
    """Return the JSON values of a value of one of `TEXT` or `NUMBERS`; None when it is none."""
    if vr in NUMBERS:
        return _numbers(vr, value, order)
    text = decode(value, encodings, vr)
    if vr in ONE_TEXT:
        return [text]
    parts = text.split("\\") if "\\" in text else [text]
    if vr == "PN":
        return [person_name(part) if part else None for part in parts]
    if vr in ("IS", "DS"):
        return [number(vr, part) for part in parts]
    return [part.strip(" \0") or None for part in parts]


def _numbers(vr: str, value: bytes, order: Syntax) -> list[Any] | None:
    code, width = NUMBERS[vr]
    count, rest = divmod(len(value), width)
    if rest:
        return None
    values = unpack(f"{'<' if order.little else '>'}{count}{code}", value)
    if vr == "AT":
        return [
            f"{group:04X}{element:04X}"
            for group, element in zip(values[::2], values[1::2], strict=False)
        ]
    if code in "fd":
        return [_finite(one) for one in values]
    return list(values)


def _finite(value: float) -> float | str:
    """JSON has no NaN and no infinity: PS3.18 F.2.3.1 writes them as text."""
    if math.isnan(value):
        return "NaN"
    return value if math.isfinite(value) else ("inf" if value > 0 else "-inf")


def number(vr: str, text: str) -> int | float | str | None:
    """Return the number an IS or DS value writes; the text itself when it writes none."""
    text = text.strip(" \0")
    if not text:
        return None
    whole = integer(text)
    if whole is not None:
        return whole
    try:
        value = float(text) if vr == "DS" and len(text) <= 64 and "_" not in text else math.nan
    except ValueError:
        return text
    return value if math.isfinite(value) else text


def integer(text: str) -> int | None:
    """Return the value of an integer string; None when it is none (DICOM PS3.5 6.2, IS).

    Whole numbers written with a decimal point, as some devices do, are taken.
    """
    whole, _, fraction = text.strip().partition(".")
    digits = whole.removeprefix("-") if whole.startswith("-") else whole.removeprefix("+")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 10 or fraction.strip("0"):
        return None
    value = int(whole)
    return value if -_IS_LIMIT <= value < _IS_LIMIT else None


def person_name(text: str) -> dict[str, str]:
    """Return the component groups of a name that are not empty (DICOM PS3.18 F.2.2)."""
    groups = zip(_GROUPS, text.split("="), strict=False)
    return {name: group.strip() for name, group in groups if group.strip()}


def little_endian(vr: str, value: bytes) -> bytes:
    """Return a big endian value with its words turned around; odd bytes at the end are kept."""
    width = BINARY.get(vr) or NUMBERS.get(vr, ("", 1))[1]
    if width == 1:
        return value
    code = {2: "H", 4: "I", 8: "Q"}[width]
    whole = len(value) - len(value) % width
    words = array(code, value[:whole])
    words.byteswap()
    return words.tobytes() + value[whole:]
