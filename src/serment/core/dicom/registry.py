"""The registries of DICOM (PS3.6: elements and UIDs), as pydicom has them, without loading pydicom.

To import any module of pydicom is to import its decoders, numpy and an HTTP client, which costs a
process half a second of its start. Its registries are two files of tables: they are read by
themselves. What a VR or a UID means to Serment is decided in `syntax` and `uids`.
"""

from __future__ import annotations

from functools import cache
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Final

Entry = tuple[str, str, str, str, str]  # of an element: VR, VM, name, retired, keyword


def _tables(name: str) -> ModuleType:
    package = find_spec("pydicom")
    found = PathFinder.find_spec(name, package.submodule_search_locations) if package else None
    if found is None or found.loader is None:
        raise ImportError(f"pydicom has no {name}", name=f"pydicom.{name}")
    module = module_from_spec(found)
    found.loader.exec_module(module)
    return module


_elements: Final = _tables("_dicom_dict")

ELEMENTS: Final[dict[int, Entry]] = _elements.DicomDictionary
"""By tag (PS3.6 section 6, PS3.7 Annex E)."""

REPEATING: Final[dict[str, Entry]] = _elements.RepeatersDictionary
"""By tag in hexadecimal, with "x" for any digit (PS3.5 section 7.6)."""

UIDS: Final[dict[str, Entry]] = _tables("_uid_dict").UID_dictionary
"""By UID: name, type, information, retired, keyword (PS3.6 Annex A)."""


def keyword_of(tag: int) -> str:
    """The keyword of an element, those of repeating groups included; "" for all others."""
    entry = ELEMENTS.get(tag) or _repeating(tag)
    return entry[4] if entry else ""


def _repeating(tag: int) -> Entry | None:
    if tag >> 16 & 1:
        return None  # private
    return next((e for mask, value, e in _masks() if tag & mask == value), None)


@cache
def _masks() -> list[tuple[int, int, Entry]]:
    """The digits that count, what they are, and whose they are."""
    return [
        (
            int("".join("0" if digit == "x" else "f" for digit in name), 16),
            int(name.replace("x", "0"), 16),
            entry,
        )
        for name, entry in REPEATING.items()
    ]


def tag_of(keyword: str) -> int | None:
    """The tag of the element with that keyword."""
    return _by_keyword().get(keyword)


@cache
def _by_keyword() -> dict[str, int]:
    return {entry[4]: tag for tag, entry in ELEMENTS.items()}
