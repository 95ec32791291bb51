"""Who is signed in, and what every page may know of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from serment.core.records.vault import MemberState, Role


class Page(StrEnum):
    """The entries of the menu, in its order."""

    HOME = "home"
    STUDIES = "studies"
    PATIENTS = "patients"
    TO_FILE = "to-file"
    EXPOSURE = "exposure"
    JOURNAL = "journal"
    BREACH = "breach"
    MEMBERS = "members"
    SETTINGS = "settings"


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
