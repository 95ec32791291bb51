"""Reads days and ranges of days, as DICOM writes them and as people type them.

Days come back as YYYYMMDD (DICOM PS3.5 section 6.2, DA); none of them is today's.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date
from typing import Final, TypeAlias

from serment.errors import N_, UsageError

Range: TypeAlias = tuple[str | None, str | None]

_DAY: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_TYPED: Final = re.compile(r"([0-9]{4})(?:-?([0-9]{2})(?:-?([0-9]{2}))?)?")
_FRENCH: Final = re.compile(r"([0-9]{1,2})[/.]([0-9]{1,2})[/.]([0-9]{4})")


def one_day(name: str, value: str) -> str:
    """Return the value when it is a day that exists.

    Raises:
        UsageError: it is none; the message names the parameter, not the value.
    """
    found = _DAY.fullmatch(value)
    if found is None:
        raise _no_day(name)
    return _checked(name, *(int(part) for part in found.groups()))


def day_range(name: str, value: str) -> Range:
    """Return the first and last day of a DICOM range: D, D-D, D- or -D (PS3.4 C.2.2.2.5).

    Raises:
        UsageError: it is none, or its end is before its start.
    """
    if value in ("", "*"):
        return None, None
    if "-" not in value:
        day = one_day(name, value)
        return day, day
    first, _, last = value.partition("-")
    if not first and not last:
        raise _no_day(name)
    return _ordered(
        name, one_day(name, first) if first else None, one_day(name, last) if last else None
    )


def typed_range(name: str, value: str) -> Range:
    """Return the first and last day of what a person typed.

    A DICOM range, or one written with two dots; a day as 20240131, 2024-01-31 or 31/01/2024; a
    whole month as 2024-01, a whole year as 2024.

    Raises:
        UsageError: it is none of these.
    """
    if ".." in value:
        first, _, last = value.partition("..")
    elif re.fullmatch(r"[0-9]{8}-([0-9]{8})?|-[0-9]{8}", value):
        first, _, last = value.partition("-")
    else:
        return _period(name, value)
    if not first and not last:
        raise _no_day(name)
    return _ordered(
        name,
        _period(name, first)[0] if first else None,
        _period(name, last)[1] if last else None,
    )


def _period(name: str, value: str) -> Range:
    found = _FRENCH.fullmatch(value)
    if found is not None:
        day, month, year = (int(part) for part in found.groups())
        written = _checked(name, year, month, day)
        return written, written
    found = _TYPED.fullmatch(value)
    if found is None:
        raise _no_day(name)
    year, month, day = (int(part or 0) for part in found.groups())
    first = _checked(name, year, month or 1, day or 1)
    last_day = day or monthrange(year, month or 12)[1]
    return first, _checked(name, year, month or 12, last_day)


def _checked(name: str, year: int, month: int, day: int) -> str:
    try:
        date(year, month, day)
    except ValueError:
        raise _no_day(name) from None
    return f"{year:04}{month:02}{day:02}"


def _ordered(name: str, first: str | None, last: str | None) -> Range:
    if first is not None and last is not None and last < first:
        raise UsageError(N_("{parameter} ends before it starts"), parameter=name)
    return first, last


def _no_day(name: str) -> UsageError:
    return UsageError(
        N_("{parameter} is not a day or a range of days"),
        hint=N_("write a day as 20240131 and a range as 20240101-20240131"),
        parameter=name,
    )
