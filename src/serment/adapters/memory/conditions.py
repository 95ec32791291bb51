"""Turns a search into SQL over the in-memory tables: exact, by prefix, or by pattern.

Decides how each attribute is compared; values are always bound, never written into the SQL.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from serment.ports import Matches

_LAST = "\U0010ffff"  # sorts behind everything that can follow a prefix


@dataclass(frozen=True, slots=True)
class Condition:
    """`rows` finds the rows by an index of its own; `test` says the same of a row of s that was
    found otherwise, without using an index. `scans`: the index can only be read from end to end."""

    rows: str
    test: str
    values: tuple[object, ...]
    scans: bool = False


def text(value: object) -> str:
    """A value as it is stored and compared: what UTF-8 cannot hold is replaced (U+FFFD)."""
    found = str(value)
    if found.isascii():
        return found
    return found.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def compared(value: object) -> str:
    """Identifiers, accession numbers and modalities are compared without regard to case."""
    return text(value).strip().upper()


def study_conditions(matches: Matches) -> list[Condition]:
    """Conditions on rows of `study` (as s) but for the date, the most selective kind first."""
    found: list[Condition | None] = [
        _one_of("s.uid", matches.study_uids),
        _one_of("s.envelope", matches.envelopes),
        _like("s.patient", matches.patient, exact=True),
        _like("s.accession", _folded(matches.accession)),
        _in_terms("study_identifier", _folded(matches.identifier)),
        _like("s.name", matches.name),
        _like("s.birth", matches.birth_date),
        _in_terms("study_modality", _folded(matches.modality)),
    ]
    return sorted((c for c in found if c is not None), key=lambda condition: condition.scans)


def instance_conditions(matches: Matches) -> tuple[str, tuple[object, ...]]:
    """SQL over rows of `instance` (as s) and its values.

    Raises:
        ValueError: the search names what only identities know.
    """
    for name in (
        "name",
        "identifier",
        "birth_date",
        "date_from",
        "date_to",
        "accession",
        "patient",
    ):
        if getattr(matches, name) is not None:
            raise ValueError(f"instances cannot be searched by {name}")
    columns = (
        ("s.instance_uid", matches.instance_uids),
        ("s.series_uid", matches.series_uids),
        ("s.envelope", matches.envelopes),
        ("s.study_uid", matches.study_uids),
    )
    terms: list[str] = []
    values: list[object] = []
    for column, listed in columns:
        if listed is not None:
            # Only the first is looked up in its index; it names the fewest instances.
            terms.append(f"{'+' if terms else ''}{column} IN (SELECT value FROM json_each(?))")
            values.append(json.dumps(listed))
    modality = _comparison("+s.modality", _folded(matches.modality))
    if modality is not None:
        terms.append(modality[0])
        values += modality[1]
    return " AND ".join(terms) or "1", tuple(values)


def date_bounds(matches: Matches) -> tuple[str, tuple[str, ...]]:
    """SQL over rank's `moment` (date and time as digits) and its values; both ends inclusive."""
    sql = ""
    values: list[str] = []
    if matches.date_from is not None:
        sql, values = sql + " AND r.moment >= ?", [*values, matches.date_from]
    if matches.date_to is not None:
        sql, values = sql + " AND r.moment > '' AND r.moment < ?", [*values, matches.date_to + ":"]
    return sql, tuple(values)


def tests(conditions: Iterable[Condition]) -> tuple[str, tuple[object, ...]]:
    """All of them as tests of a row of s, and their values."""
    wanted = list(conditions)
    values = tuple(value for condition in wanted for value in condition.values)
    return " AND ".join(condition.test for condition in wanted) or "1", values


def _folded(value: str | None) -> str | None:
    return None if value is None else compared(value)


def _one_of(column: str, values: tuple[str, ...] | None) -> Condition | None:
    if values is None:
        return None
    listed = f"{column} IN (SELECT value FROM json_each(?))"
    return Condition(
        f"SELECT s.row FROM study s WHERE {listed}", "+" + listed, (json.dumps(values),)
    )


def _like(column: str, pattern: str | None, *, exact: bool = False) -> Condition | None:
    found = _comparison(column, pattern, exact)
    if found is None:
        return None
    sql, values, scans = found
    test = sql.replace(column, "+" + column)
    return Condition(f"SELECT s.row FROM study s WHERE {sql}", test, values, scans)


def _in_terms(table: str, pattern: str | None) -> Condition | None:
    found = _comparison("t.value", pattern)
    if found is None:
        return None
    sql, values, scans = found
    test = f"EXISTS (SELECT 1 FROM {table} t WHERE t.row = s.row AND {sql.replace('t.', '+t.')})"
    return Condition(f"SELECT t.row FROM {table} t WHERE {sql}", test, values, scans)


def _comparison(
    column: str, pattern: str | None, exact: bool = False
) -> tuple[str, tuple[str, ...], bool] | None:
    """SQL that compares a column with a pattern of * and ?, its values, and whether no index
    helps; None when anything matches."""
    if pattern is None or (not exact and pattern.strip("*") == ""):
        return None
    pattern = text(pattern)
    start = min((at for at in (pattern.find("*"), pattern.find("?")) if at >= 0), default=-1)
    if exact or start < 0:
        return f"{column} = ?", (pattern,), False
    prefix, glob = pattern[:start], pattern.replace("[", "[[]")
    bounds = f"{column} >= ? AND {column} < ?"
    if pattern == prefix + "*":
        return bounds, (prefix, prefix + _LAST), False
    if not prefix:
        return f"{column} GLOB ?", (glob,), True
    return f"{bounds} AND {column} GLOB ?", (prefix, prefix + _LAST, glob), False
