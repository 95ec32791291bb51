"""Which studies make the page of a search, newest first; fast whether few or many match.

Few matches of one condition: they are fetched, tested for the rest and sorted. Many: the studies
are walked from the newest on until the page is full, which is soon, since many match. Where
several conditions match many rows each, the first is scanned for rows that meet all of them, and
given up for the walk once enough were found.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Sequence

from serment.adapters.memory.conditions import Condition, date_bounds, study_conditions, tests
from serment.ports import Matches

_ORDER = "ORDER BY r.moment DESC, r.study LIMIT ? OFFSET ?"
_PAGE = 25  # studies of a usual page
_LEAST = 500

Lines = list[tuple[str]]


def page_of(database: sqlite3.Connection, matches: Matches) -> list[str]:
    """The distinct studies of the page (`StudyRow.study`), newest first."""
    conditions = study_conditions(matches)
    dates, bounds = date_bounds(matches)
    page = (-1 if matches.limit is None else matches.limit, matches.offset)
    few = _few(database)
    if conditions and not (dates and _in_range(database, dates, bounds, few)):
        found = _by_one(database, conditions, few, dates, bounds, page)
        if found is None and len(conditions) > 1:
            found = _by_scan(database, conditions, few, dates, bounds, page)
        if found is not None:
            return _studies(found)
    return _studies(_by_walk(database, conditions, dates, bounds, page))


def count_of(database: sqlite3.Connection, matches: Matches) -> int:
    """How many distinct studies match, whatever the limit."""
    conditions = study_conditions(matches)
    dates, bounds = date_bounds(matches)
    sql, values = f"SELECT r.study FROM rank r WHERE 1{dates}", tuple[object, ...]()
    if conditions:
        sql, values = _matching(conditions, dates)
    sql = f"SELECT count(*) FROM ({sql})"
    return int(database.execute(sql, (*values, *bounds)).fetchone()[0])


def _few(database: sqlite3.Connection) -> int:
    """How many matches are as cheap to sort as it is to walk past the studies that do not match:
    sorting costs in proportion to them, walking to a page in proportion to studies / matches."""
    rows = database.execute("SELECT coalesce(max(row), 0) FROM study").fetchone()[0]
    return max(_LEAST, math.isqrt(_PAGE * rows))


def _in_range(database: sqlite3.Connection, dates: str, bounds: Sequence[object], few: int) -> bool:
    """Whether the dates alone leave few studies to walk past."""
    sql = f"SELECT count(*) FROM (SELECT 1 FROM rank r WHERE 1{dates} LIMIT {few + 1})"
    return int(database.execute(sql, bounds).fetchone()[0]) <= few


def _by_one(
    database: sqlite3.Connection,
    conditions: list[Condition],
    few: int,
    dates: str,
    bounds: Sequence[object],
    page: tuple[int, int],
) -> Lines | None:
    """By the first condition that few rows match; None when there is none."""
    for driver in conditions:
        found = database.execute(f"{driver.rows} LIMIT {few + 1}", driver.values).fetchall()
        if len(found) <= few:
            break
    else:
        return None
    test, values = tests(c for c in conditions if c is not driver)
    sql = (
        "SELECT DISTINCT r.study FROM json_each(?) j CROSS JOIN study s CROSS JOIN rank r"
        f" WHERE s.row = j.value AND r.study = s.study AND {test}{dates} {_ORDER}"
    )
    rows = json.dumps([row for (row,) in found])
    return database.execute(sql, (rows, *values, *bounds, *page)).fetchall()


def _by_scan(
    database: sqlite3.Connection,
    conditions: list[Condition],
    few: int,
    dates: str,
    bounds: Sequence[object],
    page: tuple[int, int],
) -> Lines | None:
    """By reading all rows of the first condition; None when more than few meet the others too."""
    sql, values = _matching(conditions, dates)
    found = database.execute(f"{sql} LIMIT {few + 1}", (*values, *bounds)).fetchall()
    if len(found) > few:
        return None
    sql = f"SELECT r.study FROM rank r WHERE r.study IN (SELECT value FROM json_each(?)) {_ORDER}"
    return database.execute(sql, (json.dumps(_studies(found)), *page)).fetchall()


def _by_walk(
    database: sqlite3.Connection,
    conditions: list[Condition],
    dates: str,
    bounds: Sequence[object],
    page: tuple[int, int],
) -> Lines:
    """From the newest study on."""
    test, values = tests(conditions)
    exists = f" AND EXISTS (SELECT 1 FROM study s WHERE s.study = r.study AND {test})"
    sql = f"SELECT r.study FROM rank r WHERE 1{dates}{exists if conditions else ''} {_ORDER}"
    return database.execute(sql, (*bounds, *values, *page)).fetchall()


def _matching(conditions: list[Condition], dates: str) -> tuple[str, tuple[object, ...]]:
    """SQL for the distinct studies that meet all conditions, found by the first one's index; and
    its values but those of the dates, which come last."""
    first, *rest = conditions
    test, values = tests(rest)
    sql = f"SELECT DISTINCT s.study FROM ({first.rows}) f CROSS JOIN study s"
    where = f" WHERE s.row = f.row AND {test}"
    if dates:
        sql, where = sql + " CROSS JOIN rank r", f"{where} AND r.study = s.study{dates}"
    return sql + where, (*first.values, *values)


def _studies(lines: Lines) -> list[str]:
    return [study for (study,) in lines]
