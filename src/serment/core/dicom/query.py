"""Understands a search: the parameters of a QIDO-RS request, or what a person typed.

It decides which parameters there are; what their values may look like is `criteria`'s work.
Source: DICOM PS3.18 sections 8.3.4 and 10.6.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from serment.core.dicom import criteria, registry
from serment.core.dicom.criteria import Query
from serment.core.dicom.folding import fold
from serment.core.dicom.typed import parse_text
from serment.errors import N_, UsageError

MAX_PAGE: Final = 1_000_000  # limit and offset

__all__ = ["Query", "fold", "keyword_of", "parse_qido", "parse_text"]


def parse_qido(params: Iterable[tuple[str, str]]) -> Query:
    """Understand the query parameters of a QIDO-RS request, in keyword or tag form, decoded.

    Raises:
        UsageError: a parameter is given twice, not known, or its value is not of its kind.
    """
    found: dict[str, Any] = {}
    included: list[str] = []
    ignored: list[str] = []
    for name, value in params:
        if name == "includefield":
            included += [_included(one) for one in value.split(",") if one.strip()]
        elif name in _PAGING:
            criteria.set_once(found, name, _PAGING[name](name, value), name)
        elif name in _ACCEPTED:
            continue
        else:
            _match(found, ignored, name, value)
    fields = ("all",) if "all" in included else tuple(dict.fromkeys(included))
    if found.get("fuzzy") and found.get("name") and not criteria.has_wildcard(found["name"]):
        found["name"] += "*"
    return Query(includefields=fields, ignored=tuple(ignored), **found)


def _match(found: dict[str, Any], ignored: list[str], name: str, value: str) -> None:
    keyword = _keyword(name)
    entry = _ATTRIBUTES.get(keyword)
    if entry is None:
        ignored.append(keyword)
        return
    field, parse = entry
    values = parse(keyword, criteria.bounded(keyword, value))
    for key, one in (values if isinstance(values, dict) else {field: values}).items():
        criteria.set_once(found, key, one, keyword)


_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{1,63}(\.[A-Za-z0-9]{2,64}){0,15}")
_TAG: Final = re.compile(r"[0-9A-Fa-f]{8}(\.[0-9A-Za-z]{2,64}){0,15}")


def _keyword(name: str) -> str:
    if _TAG.fullmatch(name):
        return _TAGS.get(name.upper(), name.upper())
    if _NAME.fullmatch(name):
        return name
    raise UsageError(
        N_("a query parameter is neither a DICOM keyword nor a tag"),
        hint=N_("use keywords like PatientName or tags like 00100010"),
    )


def keyword_of(name: str) -> str:
    """Return the keyword of a field to include that was named by its tag; others as they are."""
    known = _TAG.fullmatch(name) is not None and len(name) == 8
    return (registry.keyword_of(int(name, 16)) if known else "") or name


def _included(name: str) -> str:
    return "all" if name.strip().lower() == "all" else _keyword(name.strip())


def _count(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit()) or len(value) > 9 or int(value) > MAX_PAGE:
        raise UsageError(
            N_("{parameter} is not a number from 0 to {limit}"), parameter=name, limit=MAX_PAGE
        )
    return int(value)


def _flag(name: str, value: str) -> bool:
    if value.lower() not in ("true", "false"):
        raise UsageError(N_("{parameter} is neither true nor false"), parameter=name)
    return value.lower() == "true"


_PAGING: Final[dict[str, Callable[[str, str], Any]]] = {"limit": _count, "offset": _count}
_ACCEPTED: Final = frozenset({"emptyvaluematching", "multiplevaluematching", "accept", "charset"})

_ATTRIBUTES: Final[dict[str, tuple[str, Callable[[str, str], Any]]]] = {
    "PatientName": ("name", criteria.person),
    "PatientID": ("identifier", criteria.pattern),
    "PatientBirthDate": ("birth_date", criteria.birth),
    "StudyDate": ("", criteria.days),
    "ModalitiesInStudy": ("", criteria.modality_of),
    "Modality": ("", criteria.modality_of),
    "AccessionNumber": ("accession", criteria.pattern),
    "StudyInstanceUID": ("study_uids", criteria.uids),
    "SeriesInstanceUID": ("series_uids", criteria.uids),
    "SOPInstanceUID": ("instance_uids", criteria.uids),
    "fuzzymatching": ("fuzzy", _flag),
}
_TAGS: Final = {
    "00100010": "PatientName",
    "00100020": "PatientID",
    "00100030": "PatientBirthDate",
    "00080020": "StudyDate",
    "00080061": "ModalitiesInStudy",
    "00080060": "Modality",
    "00080050": "AccessionNumber",
    "0020000D": "StudyInstanceUID",
    "0020000E": "SeriesInstanceUID",
    "00080018": "SOPInstanceUID",
}
