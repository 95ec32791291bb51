"""The home page: what a thief would read now, how that is known, what to do today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from serment.app.prove.thief import Reach
from serment.entrypoints.web.views.exposure import Exposed


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
    KEYS_COPY = "keys-copy"
    EXPOSED = "exposed"
    EXPOSED_NEW = "exposed-new"
    AUDIT_FAILED = "audit-failed"
    AUDIT_NEVER = "audit-never"
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
    """`reach` and `readable_patients`: what `app.prove.thief` decides. `to_file` is None where the
    session cannot know, as is `exposed`."""

    reach: Reach
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
    exposed: Exposed | None = None
