"""What strangers can reach, as the Exposition page shows it. None of it is a patient's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from serment.core.exposure.history import Acceptance, Known, Made
from serment.core.exposure.report import Report
from serment.core.exposure.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Card:
    """One open finding. `new`: the last audit that looked there stated it for the first time, or
    again; `accepted`: who answers for it today, `lapsed`: who did until not long ago."""

    known: Known
    new: bool = False
    accepted: Acceptance | None = None
    lapsed: Acceptance | None = None
    recheck: bool = True  # it has an address that can be asked again


@dataclass(frozen=True, slots=True)
class Running:
    """The audit under way; `total` 0 while nothing is counted."""

    began: datetime
    weekly: bool
    phase: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """An audit that could not be finished: a message id, its values, what to do; when, if it was
    the weekly one."""

    message: str
    hint: str = ""
    values: Mapping[str, object] = field(default_factory=dict)
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ExposureView:
    """`report`: how things stand now, None before the first audit; `authorised_by`: who answered
    last; `next`: when the weekly audit begins."""

    report: Report | None
    cards: tuple[Card, ...]
    accepted: tuple[Card, ...]
    gone: tuple[Known, ...]
    scans: tuple[Made, ...]  # newest first
    running: Running | None
    failed: Trouble | None
    weekly: Schedule
    weekly_failed: Trouble | None
    next: datetime | None
    authorised_by: str
    login: str
    today: date
    may_scan: bool


@dataclass(frozen=True, slots=True)
class Exposed:
    """The same in numbers, for the home page: open places of medium severity or worse that nobody
    answers for, those of them that were reached from outside, and what the last audit brought."""

    services: int
    outside: int
    new: int
    critical: int
    looked_outside: bool
    last: datetime | None
    weekly: bool
    weekly_failed: bool


@dataclass(frozen=True, slots=True)
class AuditFile:
    """A report to be taken out: its bytes, their kind, a name without anything of the practice."""

    content: bytes = field(repr=False)
    media: str
    name: str


@dataclass(frozen=True, slots=True)
class AuditOrder:
    """What the form of a new audit says."""

    targets: tuple[str, ...] = ()
    authorised_by: str = ""
    large: bool = False
    dmz: bool | None = None
    manual_rules: bool | None = None


@dataclass(frozen=True, slots=True)
class AcceptOrder:
    """Who answers for leaving a finding as it is, why, until when."""

    key: tuple[str, str, int]
    who: str
    why: str
    until: date | None


@dataclass(frozen=True, slots=True)
class WeeklyOrder:
    """The form of the weekly audit."""

    on: bool
    weekday: int
    hour: int
    targets: tuple[str, ...]
    authorised_by: str
    large: bool
