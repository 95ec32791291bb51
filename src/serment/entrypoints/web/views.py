"""What the pages show, as plain values: everything a template may know, and nothing else.

Decides the shape of a screen's facts. What a session may see is decided behind
`services.Practice`, which leaves out (None, empty) what its keys do not open. Classes that hold a
patient's values print a mask instead of them (`Private`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum

from serment.core.journal.entries import EventKind
from serment.core.masked import MASK, Masked
from serment.core.records.vault import CircleKind, EnvelopeKind, MemberState, Role


class Private:
    """A value whose text forms say that something is there, not what."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({MASK})"


class Page(StrEnum):
    """The entries of the menu, in its order."""

    HOME = "home"
    STUDIES = "studies"
    PATIENTS = "patients"
    TO_FILE = "to-file"
    JOURNAL = "journal"
    MEMBERS = "members"
    SETTINGS = "settings"


# Sessions


@dataclass(frozen=True, slots=True)
class Peer:
    """Who talks to which of our addresses ("host:port"), and whether over TLS."""

    address: str
    local: str
    tls: bool


@dataclass(frozen=True, slots=True)
class Welcome:
    """What the sign-in page may tell anybody who reaches it."""

    practice: str
    receiving: bool


@dataclass(frozen=True, slots=True)
class SessionView:
    """One signed-in member. `circles` are those whose keys the session holds now; `images` says
    whether one of them is a care circle; `waiting` are circles that nobody has admitted him to."""

    id: str = field(repr=False)
    practice: str
    member: str
    login: str
    roles: tuple[Role, ...]
    state: MemberState
    circles: tuple[str, ...]
    waiting: tuple[str, ...]
    words: tuple[str, ...]  # fingerprint of the member's public key
    pages: frozenset[Page]
    images: bool
    second_factor: bool
    left_seconds: int  # until the session locks by itself


@dataclass(frozen=True, slots=True)
class Pulse:
    """What a page asks every few seconds. `version` changes when the worklist may have."""

    version: int
    to_file: int
    receiving: int  # images of receptions under way; 0 when none is
    left_seconds: int


# Home


class State(StrEnum):
    """How a fact stands; `UNKNOWN` reads "not checked"."""

    GOOD = "good"
    ATTENTION = "attention"
    BAD = "bad"
    UNKNOWN = "unknown"


class FactName(StrEnum):
    """What the first sentence of the home page rests on (sentences in `facts.py`)."""

    OBJECTS_SEALED = "objects-sealed"  # values: objects, damaged
    KEYS_AWAY = "keys-away"  # values: wraps
    KIT_AWAY = "kit-away"  # values: shares
    OPEN_SESSIONS = "open-sessions"  # values: sessions, circles
    JOURNAL_WHOLE = "journal-whole"  # values: entries
    SWAP = "swap"


@dataclass(frozen=True, slots=True)
class Fact:
    """One piece of evidence: how it stands, and when that was last looked at."""

    name: FactName
    state: State
    checked: datetime | None
    values: Mapping[str, object] = field(default_factory=dict)


class TodoName(StrEnum):
    """What somebody should do now, most pressing first (sentences in `facts.py`)."""

    KIT_HERE = "kit-here"
    CIRCLE_STOPPED = "circle-stopped"
    CIRCLE_STALE = "circle-stale"
    NO_DOCTOR = "no-doctor"
    NO_DEVICE = "no-device"
    ADMIT = "admit"
    TO_FILE = "to-file"
    CONFLICTS = "conflicts"
    SECOND_FACTOR = "second-factor"
    KIT_PRINTED = "kit-printed"
    KIT_TRIED = "kit-tried"
    CHECKPOINT = "checkpoint"


@dataclass(frozen=True, slots=True)
class Todo:
    name: TodoName
    count: int = 1


@dataclass(frozen=True, slots=True)
class KitView:
    """The recovery kit. `shares_here` counts shares still readable on this machine."""

    printed: datetime | None
    tried: datetime | None
    shares_here: int


@dataclass(frozen=True, slots=True)
class HomeView:
    """`readable_patients`: files a thief of this server could read now (all of them while two
    shares of the kit are here). None = this session cannot know."""

    objects: int
    patients: int
    readable_patients: int
    to_file: int | None
    last_reception: datetime | None
    receiving: bool
    kit: KitView
    open_sessions: int
    facts: tuple[Fact, ...]
    todo: tuple[Todo, ...]


# Patients and studies


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
    """One object of a series: its random id, frames, pixels, and window (centre, width)."""

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
    title: str
    lines: tuple[ReportLine, ...]


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
    readers: tuple[Reader, ...]
    key: bool
    may_upload: bool
    circles: tuple[str, ...]  # care circles with a compartment for this patient


# To file


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


# Journal


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


# Members and devices


@dataclass(frozen=True, slots=True)
class NewMember:
    login: str
    password: Masked[str]
    roles: tuple[Role, ...]
    circle: str  # care circle, for a doctor; "" = the default one


@dataclass(frozen=True, slots=True)
class MemberLine:
    id: str
    login: str
    roles: tuple[Role, ...]
    circles: tuple[str, ...]
    waiting: tuple[str, ...]
    state: MemberState
    words: tuple[str, ...]
    created: datetime
    second_factor: bool
    open: bool  # has a session now
    may_admit: bool
    may_remove: bool


@dataclass(frozen=True, slots=True)
class CircleLine:
    name: str
    kind: CircleKind
    epoch: int
    members: int
    stopped: bool
    stale: bool


@dataclass(frozen=True, slots=True)
class NewDevice:
    name: str
    ae_title: str
    address: str
    circle: str


@dataclass(frozen=True, slots=True)
class DeviceLine:
    id: str
    name: str
    ae_title: str
    called_ae_title: str
    address: str
    circle: str
    last: datetime | None


@dataclass(frozen=True, slots=True)
class MembersView:
    members: tuple[MemberLine, ...]
    circles: tuple[CircleLine, ...]
    devices: tuple[DeviceLine, ...]
    care_circles: tuple[str, ...]
    recovery_words: tuple[str, ...]
    may_add: bool
    dicom: str  # "host:port" where devices send


# Settings


@dataclass(frozen=True, slots=True)
class SettingsView:
    kit: KitView
    may_declare: bool
    recovery_words: tuple[str, ...]
    idle_minutes: int
    absolute_hours: int
    journal_months: int
    version: str
    format_version: int


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """A new TOTP secret to show once: `otpauth:` address and the same secret in base 32."""

    uri: Masked[str]
    secret: Masked[str]
