"""Members, circles, devices and settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from serment.core.masked import Masked
from serment.core.records.vault import CircleKind, MemberState, Role
from serment.entrypoints.web.views.home import KitView


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
    words: tuple[str, ...] = ()  # of its public key


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
    fingerprint: str  # of the authority's certificate: SHA-256, as browsers show it


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """A new TOTP secret to show once: `otpauth:` address and the same secret in base 32."""

    uri: Masked[str]
    secret: Masked[str]
