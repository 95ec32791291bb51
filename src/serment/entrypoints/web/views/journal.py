"""The journal, its filters, and the verdict on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from serment.core.journal.entries import EventKind
from serment.core.journal.retention import DEFAULT_MONTHS
from serment.entrypoints.web.views.private import Private


@dataclass(frozen=True, slots=True)
class JournalQuery:
    """`day` is a local day; ids and kinds as in the journal itself; empty means any."""

    day: date | None = None
    member: str = ""
    patient: str = ""
    kinds: tuple[EventKind, ...] = ()
    page: int = 1


@dataclass(frozen=True, slots=True, repr=False)
class JournalLine(Private):
    """One entry. `actor` and `subject` are already readable (login, device, patient if the
    session's keys name him, else a short id); `kind` is None once the body has expired."""

    index: int
    kind: EventKind | None
    at: datetime | None
    actor: str
    subject: str
    patient: str | None
    peer: str
    tls: bool | None
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True, repr=False)
class JournalView(Private):
    """`hours`: entries of each local hour of the day shown (24 numbers)."""

    lines: tuple[JournalLine, ...]
    day: date
    hours: tuple[int, ...]
    total: int
    page: int
    pages: int
    members: tuple[tuple[str, str], ...]  # (id, login)
    about: str  # the patient the list is narrowed to, readable; "" when it is not
    size: int
    checkpoint: datetime | None
    own: bool = False  # this session may read the entries about its own acts only
    unreadable: int = 0  # entries of that day that this Serment cannot read
    months: int = DEFAULT_MONTHS  # how long accesses are kept


@dataclass(frozen=True, slots=True)
class VerdictView:
    """What checking the whole log said; `kept`: it was held against a checkpoint kept elsewhere.
    `reason` is an English msgid, "" when all is well."""

    entries: int
    ok: bool
    expired: int
    first_bad: int | None
    reason: str
    kept: bool
