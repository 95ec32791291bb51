"""Which entries expire, and when: who looked at what, after 12 months; never what keys exist.

Accesses are personal data of those who work here and are kept no longer than needed to find
misuse. The history of keys, rights and receptions says what was protected at any past time and
names no patient; without it a breach found late could not be judged, so it stays.

Source: CNIL délibération n° 2021-122 (6 to 12 months, 36 where justified);
docs/decisions/0005-journal-leaves.md.
"""

from __future__ import annotations

import calendar
from datetime import datetime

from serment.core.journal.entries import Entry, EventKind
from serment.core.journal.rows import DELETED, MADE, ROWS
from serment.errors import N_, UsageError

DEFAULT_MONTHS = 12
MIN_MONTHS, MAX_MONTHS = 6, 36

ACCESSES = frozenset(
    {
        EventKind.OPENED,
        EventKind.LOCKED,
        EventKind.READ,
        EventKind.SEARCHED,
        EventKind.EXPORTED,
        EventKind.REFUSED,
        EventKind.LOGIN_FAILED,
        EventKind.SCAN_READ,
    }
)


def expires(entry: Entry) -> bool:
    """Whether the entry is an access, and tells of no row written or deleted, thus of no key."""
    tells_of_rows = entry.details.get(ROWS) or entry.details.get(DELETED)
    return entry.kind in ACCESSES and not (tells_of_rows or entry.details.get(MADE))


def expired_before(now: datetime, months: int = DEFAULT_MONTHS) -> datetime:
    """The instant before which accesses have expired: as many calendar months ago.

    Raises:
        UsageError: fewer than 6 or more than 36 months.
    """
    if not MIN_MONTHS <= months <= MAX_MONTHS:
        raise UsageError(
            N_("the journal keeps accesses for 6 to 36 months, not {months}"),
            hint=N_("12 months is usual; more needs a documented justification (CNIL 2021-122)"),
            months=months,
        )
    year, month = divmod(now.year * 12 + now.month - 1 - months, 12)
    day = min(now.day, calendar.monthrange(year, month + 1)[1])
    return now.replace(year=year, month=month + 1, day=day)
