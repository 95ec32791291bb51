"""Patients, studies and documents, as far as a session's keys open them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time

from serment.core.records.vault import EnvelopeKind, Role
from serment.entrypoints.web.views.private import Private


@dataclass(frozen=True, slots=True)
class Identifier:
    value: str = field(repr=False)
    issuer: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Who(Private):
    """A patient's identity as people read it; name is "FAMILY Given", sex a DICOM code or ""."""

    name: str
    birth_date: date | None = None
    sex: str = ""
    identifiers: tuple[Identifier, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class StudyQuery(Private):
    """A search as typed; empty means any. `page` counts from 1."""

    name: str = ""
    identifier: str = ""
    birth_date: date | None = None
    date_from: date | None = None
    date_to: date | None = None
    modality: str = ""
    accession: str = ""
    to_file: bool = False
    page: int = 1


@dataclass(frozen=True, slots=True, repr=False)
class StudyLine(Private):
    """One study of the worklist. `key` is whether the session may read its content; what the
    clinical key alone opens (description, counts, thumbnail) is empty or None without it."""

    ref: str  # random id that addresses the study
    who: Who
    patient: str | None  # patient id once filed
    date: date | None
    time: time | None
    modalities: tuple[str, ...]
    accession: str
    arrived: datetime
    device: str
    key: bool
    description: str = ""
    series: int | None = None
    images: int | None = None
    conflicts: int = 0
    thumbnail: str | None = None  # object id


@dataclass(frozen=True, slots=True, repr=False)
class Worklist(Private):
    studies: tuple[StudyLine, ...]
    total: int
    page: int
    pages: int
    modalities: tuple[str, ...]  # those there are, for the filter
    version: int


@dataclass(frozen=True, slots=True)
class Picture:
    data: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Document:
    """Bytes that stream: chunks of any size, `size` in total."""

    chunks: Iterator[bytes]
    size: int
    media_type: str = "application/pdf"


@dataclass(frozen=True, slots=True)
class Image:
    """One object of a series: its random id, frames, pixels, and window (centre, width). Every
    grey picture has a window (its own, or the middle of what its bits can say); colour has None."""

    object: str
    frames: int
    rows: int
    columns: int
    window: tuple[float, float] | None = None
    flagged: bool = False  # same SOP Instance UID with other content


@dataclass(frozen=True, slots=True, repr=False)
class Series(Private):
    number: int | None
    modality: str
    description: str
    body_part: str
    kind: EnvelopeKind
    images: tuple[Image, ...]


@dataclass(frozen=True, slots=True, repr=False)
class StudyView(Private):
    """What the viewer shows; without the key, `series` is empty and `holders` names the circles
    that do hold it."""

    ref: str
    who: Who
    patient: str | None
    date: date | None
    time: time | None
    modalities: tuple[str, ...]
    accession: str
    description: str
    key: bool
    holders: tuple[str, ...]
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True, repr=False)
class ReportLine(Private):
    """One line of a structured report: nesting depth from 0, concept name, value ("" = heading)."""

    depth: int
    label: str
    value: str


@dataclass(frozen=True, slots=True, repr=False)
class Report(Private):
    """A report, whose it is (None where no key here names him), and the study it belongs to; `at`
    is when it was opened, for the mark on the page."""

    title: str
    lines: tuple[ReportLine, ...]
    who: Who | None
    study: str
    at: datetime


@dataclass(frozen=True, slots=True, repr=False)
class PatientLine(Private):
    id: str
    who: Who
    studies: int
    last: date | None


@dataclass(frozen=True, slots=True, repr=False)
class PatientList(Private):
    patients: tuple[PatientLine, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True, repr=False)
class Item(Private):
    """One thing on a patient's timeline: a study (`ref` addresses the viewer) or a document
    (`ref` is its object id)."""

    kind: EnvelopeKind
    ref: str
    date: date | None
    arrived: datetime
    title: str
    modalities: tuple[str, ...]
    source: str  # device or member who brought it
    key: bool
    images: int | None = None
    thumbnail: str | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """Who opened this patient's file, from the journal; `what` is "identity", "image", "report" or
    "document"."""

    login: str
    roles: tuple[Role, ...]
    what: str
    last: datetime
    times: int


@dataclass(frozen=True, slots=True, repr=False)
class PatientView(Private):
    id: str
    who: Who
    timeline: tuple[Item, ...]
    readers: tuple[Reader, ...] | None  # None: this session may not see them
    key: bool
    may_upload: bool
    circles: tuple[str, ...]  # care circles with a compartment for this patient
    all_readers: bool = True  # else those of the last entries only
