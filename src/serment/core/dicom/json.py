"""Writes the DICOM JSON model: metadata of an instance from its header, QIDO answers from keywords.

Odd values never make it fail: what is not what its VR says is given as text or as bytes. Large
values and pixel data become a BulkDataURI. Source: DICOM PS3.18 Annex F.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from json import JSONEncoder
from json.encoder import encode_basestring as quoted
from typing import Any, Final, TypeAlias

from serment.core.dicom import registry
from serment.core.dicom import syntax as layout
from serment.core.dicom.elements import MAX_DEPTH, Budget, Element, Elements, items
from serment.core.dicom.part10 import Meta, read_meta
from serment.core.dicom.syntax import US_OR_SS, Syntax, vr_of
from serment.core.dicom.text import encodings_of
from serment.core.dicom.values import (
    BINARY,
    NUMBERS,
    TEXT,
    little_endian,
    number,
    person_name,
    value_list,
)
from serment.core.dicom.walker import Bytes, Header, charset_terms, walk
from serment.errors import N_, FormatError, NotFound

BULK_FROM: Final = 1024  # bytes of a binary value that are still given inline
BULK_TEXT_FROM: Final = 64 << 10  # bytes of a text value that are still given inline

_CHARSET: Final = 0x00080005
_AVAILABLE: Final = "00083002"  # Available Transfer Syntax UID
_PIXEL_REPRESENTATION: Final = 0x00280103
_NOT_IN_MODEL: Final = frozenset({0x0000, 0x0002})  # commands and file meta information
_NESTING: Final = frozenset({"SQ", "UN"})


Memo: TypeAlias = dict[tuple[str, bytes, Syntax, tuple[str, ...]], dict[str, Any]]
"""Attributes already written: instances of a series share most of theirs. It holds patients'
values, so it belongs to one request and goes with it."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the data set we are: what the values are encoded with, and the bulk address."""

    order: Syntax
    encodings: tuple[str, ...]
    bulk: str
    budget: Budget
    memo: Memo
    depth: int = 0


def metadata(part10_head: Bytes, bulk_uri: str, memo: Memo | None = None) -> dict[str, Any]:
    """Return the attributes of one instance, without pixel data and large values.

    Args:
        part10_head: at least the first `header_size` bytes of the DICOM file.
        bulk_uri: address of its bulk data; the tag path is appended, as `bulk_data` takes it.
        memo: the same dict for all instances of one answer makes it several times faster; the
            result then shares parts with the others and must not be changed.

    Raises:
        FormatError: the header cannot be walked.
    """
    meta, header = _header(part10_head)
    encodings = encodings_of(header.charset)
    place = _Place(header.syntax, encodings, bulk_uri, Budget(), {} if memo is None else memo)
    found = _attributes(header.elements, place)
    found[_AVAILABLE] = {"vr": "UI", "Value": [meta.transfer_syntax]}
    if header.pixel_tag is not None:
        pixels = f"{header.pixel_tag:08X}"
        found[pixels] = {"vr": _json_vr(header.pixel_vr), "BulkDataURI": f"{bulk_uri}/{pixels}"}
    elif header.cut is not None:
        cut = f"{header.cut.tag:08X}"
        found[cut] = {"vr": _json_vr(header.cut.vr), "BulkDataURI": f"{bulk_uri}/{cut}"}
    return dict(sorted(found.items()))


def _header(part10_head: Bytes) -> tuple[Meta, Header]:
    meta = read_meta(part10_head)
    data = memoryview(part10_head)[meta.dataset_offset :]
    return meta, walk(data, meta.transfer_syntax, partial=True)


def _attributes(elements: Elements, place: _Place) -> dict[str, Any]:
    found: dict[str, Any] = {}
    order, encodings, memo = place.order, place.encodings, place.memo
    signed = not order.explicit and elements.get(_PIXEL_REPRESENTATION, ("", b""))[1][:1] == b"\1"
    for tag, (vr, value) in elements.items():
        if tag & 0xFFFF == 0 or tag >> 16 in _NOT_IN_MODEL:
            continue
        if signed and tag in US_OR_SS:
            vr = "SS"
        if len(value) > BULK_FROM or vr in _NESTING:
            found[f"{tag:08X}"] = _large(tag, vr, value, place)
            continue
        key = vr, value, order, encodings
        known = memo.get(key)
        if known is None:
            known = memo[key] = _leaf(vr, value, order, encodings)
        found[f"{tag:08X}"] = known
    if _CHARSET in elements:
        found["00080005"] = {"vr": "CS", "Value": ["ISO_IR 192"]}  # what JSON is written in
    return found


def _large(tag: int, vr: str, value: bytes, place: _Place) -> dict[str, Any]:
    """Return an attribute that may hold others, or be too large to be given inline."""
    order = place.order
    if vr == "UN":
        vr, order = vr_of(tag), layout.IMPLICIT_LITTLE  # PS3.5 section 6.2.2
    if vr == "SQ":
        return _sequence(tag, value, order, place)
    if len(value) > (BULK_TEXT_FROM if vr in TEXT else BULK_FROM):
        return {"vr": _json_vr(vr), "BulkDataURI": f"{place.bulk}/{tag:08X}"}
    return _leaf(vr, value, order, place.encodings)


def _leaf(vr: str, value: bytes, order: Syntax, encodings: tuple[str, ...]) -> dict[str, Any]:
    vr = _json_vr(vr)
    if not value:
        return {"vr": vr}
    if vr in BINARY:
        return {"vr": vr, "InlineBinary": _base64(vr, value, order)}
    values = value_list(vr, value, order, encodings)
    if values is None:
        return {"vr": "UN", "InlineBinary": _base64("UN", value, order)}
    return {"vr": vr} if values == [None] else {"vr": vr, "Value": values}


def _json_vr(vr: str) -> str:
    return vr if vr in TEXT or vr in NUMBERS or vr in BINARY or vr == "SQ" else "UN"


def _base64(vr: str, value: bytes, order: Syntax) -> str:
    return b64encode(value if order.little else little_endian(vr, value)).decode("ascii")


def _sequence(tag: int, value: bytes, order: Syntax, place: _Place) -> dict[str, Any]:
    if not value:
        return {"vr": "SQ"}
    path = f"{place.bulk}/{tag:08X}"
    try:
        if place.depth >= MAX_DEPTH:
            raise FormatError(N_("sequences are nested more than {limit} deep"), limit=MAX_DEPTH)
        found = items(value, order, place.budget)
        return {
            "vr": "SQ",
            "Value": [
                _attributes(elements, _inside(elements, inside, f"{path}/{number}", place))
                for number, (inside, elements) in enumerate(found)
            ],
        }
    except FormatError:
        if len(value) > BULK_FROM:
            return {"vr": "UN", "BulkDataURI": path}
        return {"vr": "UN", "InlineBinary": _base64("UN", value, order)}


def _inside(elements: Elements, order: Syntax, bulk: str, place: _Place) -> _Place:
    encodings = place.encodings
    if _CHARSET in elements:
        encodings = encodings_of(charset_terms(elements[_CHARSET]))
    return _Place(order, encodings, bulk, place.budget, place.memo, place.depth + 1)


def bulk_data(part10_head: Bytes, path: str) -> bytes:
    """Return the value `metadata` gave a BulkDataURI for (little endian), pixel data excepted.

    Args: `path`: what follows `bulk_uri/` in it: tags and item numbers, like 00081140/0/00091010.

    Raises:
        NotFound: there is no such element. FormatError: the header cannot be walked.
    """
    _meta, header = _header(part10_head)
    order, elements, budget = header.syntax, header.elements, Budget()
    steps = path.split("/")
    for tag, index in zip(steps[0:-1:2], steps[1:-1:2], strict=False):
        vr, value = _element(elements, tag)
        found = items(value, layout.IMPLICIT_LITTLE if vr == "UN" else order, budget)
        if not index.isdecimal() or int(index[:9]) >= len(found):
            raise _no_such_element()
        order, elements = found[int(index[:9])]
    if len(steps) % 2 == 0:
        raise _no_such_element()
    vr, value = _element(elements, steps[-1])
    return value if order.little else little_endian(vr, value)


def _element(elements: Elements, tag: str) -> Element:
    try:
        return elements[int(tag[:9], 16)]
    except (ValueError, KeyError):
        raise _no_such_element() from None


def _no_such_element() -> NotFound:
    return NotFound(N_("the object has no such bulk data"))


@lru_cache(maxsize=512)
def _entry(keyword: str) -> tuple[str, str] | None:
    tag = registry.tag_of(keyword)
    return None if tag is None else (f"{tag:08X}", registry.ELEMENTS[tag][0][:2])


def to_json(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the DICOM JSON object of keyword attributes, as `headers.split` gives them.

    Keywords the dictionary does not know are left out; an empty value gives an attribute without
    one. Texts become numbers for IS and DS, objects for PN (DICOM PS3.18 F.2.2).
    """
    found = {}
    for keyword, value in attributes.items():
        entry = _entry(keyword)
        if entry is not None:
            found[entry[0]] = _from_keyword(entry[1], value)
    return dict(sorted(found.items()))


def to_text(attributes: Mapping[str, Any]) -> str:
    """Return what `to_json` returns as text, several times faster: a list has thousands of them."""
    found = []
    for keyword, value in attributes.items():
        entry = _entry(keyword)
        if entry is None:
            continue
        tag, vr = entry
        if type(value) is str and vr not in _NOT_TEXT:  # by far the most
            values = f',"Value":[{quoted(value)}]' if value else ""
            found.append(f'"{tag}":{{"vr":"{vr}"{values}}}')
        else:
            found.append(f'"{tag}":{_written(_from_keyword(vr, value))}')
    found.sort()
    return "{" + ",".join(found) + "}"


_NOT_TEXT: Final = frozenset({"PN", "IS", "DS"})  # VRs whose texts are not texts in JSON
_written: Final = JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _from_keyword(vr: str, value: Any) -> dict[str, Any]:
    given = value if isinstance(value, (list, tuple)) else [value]
    values = [_typed(vr, one) for one in given if one is not None and one != ""]
    return {"vr": vr, "Value": values} if values else {"vr": vr}


def _typed(vr: str, value: Any) -> Any:
    if vr == "PN":
        return person_name(str(value))
    if isinstance(value, str) and vr in ("IS", "DS"):
        return number(vr, value)
    return value
