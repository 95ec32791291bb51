"""Arrivals that wait for a person to say whose they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from serment.core.records.vault import EnvelopeKind
from serment.entrypoints.web.views.private import Private
from serment.entrypoints.web.views.records import Who


class Agreement(StrEnum):
    SAME = "same"
    DIFFERENT = "different"
    MISSING = "missing"  # one side does not say


@dataclass(frozen=True, slots=True, repr=False)
class Candidate(Private):
    """A patient this may be; `agreement` per field: name, birth_date, sex, identifiers."""

    patient: str
    who: Who
    studies: int
    agreement: Mapping[str, Agreement]


@dataclass(frozen=True, slots=True, repr=False)
class Arrival(Private):
    envelope: str
    kind: EnvelopeKind
    who: Who
    date: date | None
    modalities: tuple[str, ...]
    accession: str
    device: str
    circle: str
    arrived: datetime
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Filed(Private):
    """An envelope filed lately, which can still be undone; `by` is a login, "" when automatic."""

    envelope: str
    patient: str
    who: Who
    modalities: tuple[str, ...]
    date: date | None
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, repr=False)
class ToFile(Private):
    arrivals: tuple[Arrival, ...]
    filed: tuple[Filed, ...]
