"""Understands what a person typed into a search: words, and `key:value` with known keys.

It decides the keys, English and French; what the values may look like is `criteria`'s work.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from serment.core.dicom import criteria
from serment.core.dicom.criteria import MAX_VALUE, Query
from serment.core.dicom.dates import typed_range
from serment.errors import N_, UsageError

_TOKEN: Final = re.compile(r'(?:([^\W\d_]+):)?(?:"([^"]*)"|(\S+))')


def _typed_days(name: str, value: str) -> dict[str, str | None]:
    first, last = typed_range(name, value)
    return {"date_from": first, "date_to": last}


def _typed_birth(name: str, value: str) -> str | None:
    first, last = typed_range(name, value)
    if first != last:
        raise UsageError(N_("{parameter} is not one day"), parameter=name)
    return first


_KEYS: Final[dict[str, tuple[str, Callable[[str, str], Any]]]] = {
    "name": ("name", criteria.person),
    "id": ("identifier", criteria.pattern),
    "birth": ("birth_date", _typed_birth),
    "date": ("", _typed_days),
    "modality": ("", criteria.modality_of),
    "accession": ("accession", criteria.pattern),
    "study": ("study_uids", criteria.uids),
    "series": ("series_uids", criteria.uids),
    "instance": ("instance_uids", criteria.uids),
    "patient": ("patient", criteria.pattern),
}
_FRENCH: Final = {
    "nom": "name",
    "naissance": "birth",
    "modalité": "modality",
    "modalite": "modality",
    "étude": "study",
    "etude": "study",
    "série": "series",
    "serie": "series",
}


def parse_text(text: str) -> Query:
    """Understand what a person typed.

    `name:`, `id:`, `birth:`, `date:`, `modality:`, `accession:`, `study:`, `series:`, `instance:`
    and `patient:` say what follows is; quotes hold spaces together; a UID alone is a study; other
    words together are the start of a name, an identifier or an accession number.

    Raises:
        UsageError: an unknown key, a key given twice, or a value that is not of its kind.
    """
    found: dict[str, Any] = {}
    words = []
    for key, quoted, plain in _TOKEN.findall(text[: MAX_VALUE * 16]):
        value = quoted or plain
        if key:
            _typed(found, key.lower(), value)
        elif value.count(".") > 1 and criteria.UID.fullmatch(value):
            criteria.set_once(found, "study_uids", (value,), "study")
        elif value:
            words.append(value)
    word = criteria.pattern("word", criteria.bounded("word", " ".join(words)))
    return Query(word=word, **found)


def _typed(found: dict[str, Any], key: str, value: str) -> None:
    entry = _KEYS.get(_FRENCH.get(key, key))
    if entry is None:
        raise UsageError(
            N_("there is nothing called {parameter} to search by"),
            hint=N_("search by {known}"),
            parameter=key[:32],
            known=", ".join(f"{name}:" for name in _KEYS),
        )
    field, parse = entry
    values = parse(key, criteria.bounded(key, value))
    for name, one in (values if isinstance(values, dict) else {field: values}).items():
        criteria.set_once(found, name, one, key)
