"""After a breach: what is asked, and whom it reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from serment.core.breach.exposure import Category
from serment.entrypoints.web.views.private import Private
from serment.entrypoints.web.views.records import PatientLine

Three = tuple[int, int, int]  # read, readable, unintelligible


@dataclass(frozen=True, slots=True)
class BreachView:
    """What the form offers: everybody's login, and the hour it is."""

    logins: tuple[str, ...]
    now: datetime


@dataclass(frozen=True, slots=True)
class RadiusQuery:
    """`what`: disk, backup, account, server or listener; times are aware, None when not said."""

    what: str
    start: datetime | None = None
    end: datetime | None = None
    known: tuple[str, ...] = ()
    account: str = ""
    listener: str = ""


@dataclass(frozen=True, slots=True)
class CategoryLine:
    """Patients and objects of one category; of identities there are no objects."""

    category: Category
    patients: Three
    objects: Three | None


@dataclass(frozen=True, slots=True)
class EvidenceLine:
    """One statement (English msgid and values), how often, and where in the journal."""

    message: str
    values: Mapping[str, object]
    count: int
    entries: tuple[int, int] | None


@dataclass(frozen=True, slots=True, repr=False)
class RadiusView(Private):
    """The answer. `named`: the first patients whose data were read or readable, None when this
    session's keys name nobody; `kit`: everything is readable because the kit is here."""

    patients: Three
    unfiled: Three
    categories: tuple[CategoryLine, ...]
    metadata: bool
    evidence: tuple[EvidenceLine, ...]
    named: tuple[PatientLine, ...] | None
    kit: bool
    whole: bool
    harmless: bool  # nothing was read or readable, and no doubt is left

    @property
    def reached(self) -> int:
        """Patients whose data were read or readable."""
        return self.patients[0] + self.patients[1]

    @property
    def unknown(self) -> int:
        """Arrivals filed with nobody that were read or readable."""
        return self.unfiled[0] + self.unfiled[1]
