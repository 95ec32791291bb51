"""Writes the Native DICOM Model (XML) from the DICOM JSON model; the two say the same.

Source: DICOM PS3.19 Annex A.1 and PS3.18 Table F.3.1-1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from serment.core.dicom import registry

NAMESPACE: Final = "http://dicom.nema.org/PS3.19/models/NativeDICOM"

_GROUPS: Final = ("Alphabetic", "Ideographic", "Phonetic")
_NAMES: Final = ("FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix")
_NOT_IN_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def native_model(attributes: Mapping[str, Any]) -> bytes:
    """Return the XML document, UTF-8, of one DICOM JSON object (`json.metadata`, `json.to_json`).

    Characters that XML 1.0 cannot hold are left out.
    """
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    lines.append(f'<NativeDicomModel xmlns="{NAMESPACE}" xml:space="preserve">')
    lines += _attributes(attributes)
    lines.append("</NativeDicomModel>")
    return "".join(lines).encode("utf-8")


def _attributes(attributes: Mapping[str, Any]) -> Iterator[str]:
    for tag, attribute in attributes.items():
        keyword, creator = _keyword(tag), _creator(tag, attributes)
        named = f" keyword={quoteattr(keyword)}" if keyword else ""
        if creator:  # the block is named, so its number does not count
            tag, named = f"{tag[:4]}00{tag[6:]}", f" privateCreator={quoteattr(creator)}"
        yield f"<DicomAttribute tag={quoteattr(tag)} vr={quoteattr(attribute['vr'])}{named}>"
        yield from _content(attribute)
        yield "</DicomAttribute>"


@lru_cache(maxsize=4096)
def _keyword(tag: str) -> str:
    return registry.keyword_of(int(tag, 16))


def _creator(tag: str, attributes: Mapping[str, Any]) -> str:
    """Return who reserved the block of a private element (PS3.5 section 7.8.1); "" if nobody."""
    if not int(tag[:4], 16) & 1 or tag[4:6] == "00":
        return ""
    values = attributes.get(f"{tag[:4]}00{tag[4:6]}", {}).get("Value", ())
    return next((_NOT_IN_XML.sub("", value) for value in values if isinstance(value, str)), "")


def _content(attribute: Mapping[str, Any]) -> Iterator[str]:
    if "BulkDataURI" in attribute:
        yield f"<BulkData uri={quoteattr(attribute['BulkDataURI'])}/>"
    elif "InlineBinary" in attribute:
        yield f"<InlineBinary>{attribute['InlineBinary']}</InlineBinary>"
    for number, value in enumerate(attribute.get("Value", ()), 1):
        if attribute["vr"] == "SQ":
            yield f'<Item number="{number}">'
            yield from _attributes(value or {})
            yield "</Item>"
        elif attribute["vr"] == "PN":
            yield f'<PersonName number="{number}">'
            yield from _person_name(value or {})
            yield "</PersonName>"
        elif value is not None:
            yield f'<Value number="{number}">{_text(value)}</Value>'


def _person_name(groups: Mapping[str, str]) -> Iterator[str]:
    for group in _GROUPS:
        if group in groups:
            yield f"<{group}>"
            for name, part in zip(_NAMES, groups[group].split("^"), strict=False):
                if part:
                    yield f"<{name}>{_text(part)}</{name}>"
            yield f"</{group}>"


def _text(value: object) -> str:
    return escape(_NOT_IN_XML.sub("", str(value)), {"\r": "&#13;"})
