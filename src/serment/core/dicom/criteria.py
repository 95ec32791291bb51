"""What a search is, and what each kind of value in it may look like.

A message never repeats a value, because a value may be a name. Matching rows is the search
table's work. Source: DICOM PS3.4 C.2.2.2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Final

from serment.core.dicom.dates import day_range, one_day
from serment.core.dicom.folding import fold
from serment.errors import N_, UsageError

MAX_VALUE: Final = 256  # characters of one value
MAX_UIDS: Final = 1000  # in one list
MAX_WILDCARDS: Final = 8  # in one value: matching time grows with their number


@dataclass(frozen=True, slots=True, repr=False)
class Query:
    """A search, parsed: each None means "any"; text values may hold * and ?.

    The fields up to `offset` are those of `serment.ports.Matches`. `ignored` names attributes that
    cannot be searched by: PS3.18 8.3.4.4 wants the caller told, by a warning header.
    """

    name: str | None = None  # folded
    identifier: str | None = None
    birth_date: str | None = None  # YYYYMMDD
    date_from: str | None = None
    date_to: str | None = None
    modality: str | None = None
    accession: str | None = None
    study_uids: tuple[str, ...] | None = None
    series_uids: tuple[str, ...] | None = None
    instance_uids: tuple[str, ...] | None = None
    patient: str | None = None
    limit: int | None = None
    offset: int = 0
    includefields: tuple[str, ...] = ()  # keywords or tags, "all" alone for everything
    fuzzy: bool = False
    ignored: tuple[str, ...] = ()
    word: str | None = None  # typed without saying what it is
    modalities: tuple[str, ...] = ()  # several, any of which will do

    def matches(self) -> dict[str, Any]:
        """Return the fields of `serment.ports.Matches`, by name."""
        return {name: getattr(self, name) for name in _MATCHES}

    def alternatives(self) -> tuple[Query, ...]:
        """Return searches whose results together are the answer.

        Most searches are one; a word that may be a name, an identifier or an accession number is
        three, several modalities are one each. Their results may overlap.
        """
        found = [self]
        if self.word is not None:
            found = _guesses(replace(self, word=None), self.word)
        if self.modalities:
            found = [
                replace(one, modality=modality, modalities=())
                for one in found
                for modality in self.modalities
            ]
        return tuple(found)


_MATCHES: Final = (
    *("name", "identifier", "birth_date", "date_from", "date_to", "modality", "accession"),
    *("study_uids", "series_uids", "instance_uids", "patient", "limit", "offset"),
)


def _guesses(query: Query, word: str) -> list[Query]:
    as_name = pattern("name", fold(word))
    if as_name is not None and not has_wildcard(as_name):
        as_name += "*"
    found = [replace(query, name=as_name)]
    if " " not in word:
        if query.identifier is None:
            found.append(replace(query, identifier=word))
        if query.accession is None:
            found.append(replace(query, accession=word))
    return found


def set_once(found: dict[str, Any], key: str, value: Any, name: str) -> None:
    if value is None:
        return
    if key in found:
        raise UsageError(N_("{parameter} is given twice"), parameter=name)
    found[key] = value


def bounded(name: str, value: str) -> str:
    value = value.strip()
    if len(value) > MAX_VALUE and not name.endswith("UID"):
        raise UsageError(
            N_("the value of {parameter} is longer than {limit} characters"),
            parameter=name,
            limit=MAX_VALUE,
        )
    return value


def has_wildcard(value: str) -> bool:
    return "*" in value or "?" in value


def pattern(name: str, value: str) -> str | None:
    value = re.sub(r"\*+", "*", value)
    if value.count("*") + value.count("?") > MAX_WILDCARDS:
        raise UsageError(
            N_("the value of {parameter} has more than {limit} wildcards"),
            parameter=name,
            limit=MAX_WILDCARDS,
        )
    return None if value in ("", "*") else value


def person(name: str, value: str) -> str | None:
    return pattern(name, fold(value))


def uids(name: str, value: str) -> tuple[str, ...] | None:
    if value in ("", "*"):
        return None
    found = tuple(one.strip() for one in value.replace("\\", ",").split(","))
    if len(found) > MAX_UIDS or not all(UID.fullmatch(one) for one in found):
        raise UsageError(
            N_("{parameter} is not a list of at most {limit} UIDs"),
            parameter=name,
            limit=MAX_UIDS,
        )
    return tuple(dict.fromkeys(found))


UID: Final = re.compile(r"(?=.{1,64}$)[0-9]+(\.[0-9]+)+")


def days(name: str, value: str) -> dict[str, str | None]:
    first, last = day_range(name, value)
    return {"date_from": first, "date_to": last}


def birth(name: str, value: str) -> str | None:
    return one_day(name, value) if value else None


def modality_of(name: str, value: str) -> dict[str, Any]:
    found = [one.strip().upper() for one in value.replace("\\", ",").split(",") if one.strip()]
    patterns = [pattern(name, one) for one in found]
    if not found or None in patterns:
        return {}
    if len(found) == 1:
        return {"modality": patterns[0]}
    return {"modalities": tuple(dict.fromkeys(found))[:16]}
