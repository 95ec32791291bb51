"""What an audit states: a finding, how serious and how sure, and what was not checked.

Holds no patient's value: numbers only. What makes a finding is each check's own file (`checks`);
what was seen is `seen`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

Way: TypeAlias = tuple[str, int]  # address and port outside; "" = at an address that is not known
COUNTED_TO: Final = 50  # answers that name a patient are counted up to here, then forgotten


class Severity(StrEnum):
    """How bad it is, most serious first (order: `RANKS`)."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"


RANKS: Final = {severity: rank for rank, severity in enumerate(Severity)}


class Confidence(StrEnum):
    """How sure it is: shown by an answer, told by several signs, told by one."""

    CONFIRMED = "confirmed"
    LIKELY = "likely"
    POSSIBLE = "possible"


class Outside(StrEnum):
    """What is known of the view from the Internet. "closed" is only said when somebody tried."""

    CONFIRMED = "confirmed"
    NOT_CHECKED = "not_checked"
    CLOSED = "closed"
    SHARED_ADDRESS = "shared_address"


class Unit(StrEnum):
    PATIENTS = "patients"
    STUDIES = "studies"
    FILES = "files"
    ROWS = "rows"


@dataclass(frozen=True, slots=True)
class Readable:
    """How much can be read by whoever asks; never what."""

    count: int
    capped: bool  # there is more than `count`
    unit: Unit


def counted(number: int, unit: Unit, more: bool = False) -> Readable:
    """So many, up to `COUNTED_TO`; `more` when there are others than those counted."""
    return Readable(max(0, min(number, COUNTED_TO)), more or number > COUNTED_TO, unit)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a service listens. `port` 0 = the host as such; `proto` as in `seen.Service`."""

    host: str
    port: int = 0
    proto: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is exposed.

    `title`, `remedy` and `evidence` are gettext message ids, filled in with `values`, which hold
    technical facts only (a product, a version, a path of the protocol). `reached_by`: the ways by which it
    was reached from outside; none = not reached, or not known.
    """

    id: str  # X01 ...
    place: Place
    severity: Severity
    confidence: Confidence
    title: str
    remedy: str
    evidence: str
    values: dict[str, object] = field(default_factory=dict)
    readable: Readable | None = None
    outside: Outside = Outside.NOT_CHECKED
    cves: tuple[str, ...] = ()
    reached_by: tuple[Way, ...] = ()

    @property
    def key(self) -> tuple[str, str, int]:
        """What makes it the same finding in another scan."""
        return self.id, self.place.host, self.place.port


@dataclass(frozen=True, slots=True)
class NotChecked:
    """A check that was not made, and why (a gettext message id with its values)."""

    check: str
    host: str
    reason: str
    values: dict[str, object] = field(default_factory=dict)
