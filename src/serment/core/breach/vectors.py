"""The ways a breach can go, as values: what was taken or reached, and when.

Decides which question may be asked at all (`check_asked`); what each vector opens is `ways`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, assert_never

from serment.errors import N_, UsageError


class Copy(StrEnum):
    """What was stolen."""

    DISK = "disk"  # of the server: what lies beside the vault is gone with it
    BACKUP = "backup"  # a copy of the vault's folder alone


@dataclass(frozen=True, slots=True)
class Stolen:
    """Every file of the vault as it was at one instant. `known`: members (ids) whose password
    somebody else has; `shares` of the recovery kit on the machine, None when nobody looked."""

    copy: Copy
    at: datetime
    known: frozenset[str] = frozenset()
    shares: int | None = None

    @property
    def start(self) -> datetime:
        return self.at

    @property
    def end(self) -> datetime:
        return self.at


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody acted, or could act, as this member (an id)."""

    member: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Server:
    """Somebody controlled the running server: its memory and its files. `known` and `shares` as of
    `Stolen`."""

    start: datetime
    end: datetime
    known: frozenset[str] = frozenset()
    shares: int | None = None


@dataclass(frozen=True, slots=True)
class Listener:
    """Somebody saw what crossed an address of the server, "host:port" or "host" for all ports."""

    address: str
    start: datetime
    end: datetime

    def hears(self, local: object) -> bool:
        """Whether what an entry has under `local` is this address."""
        if not isinstance(local, str):
            return False
        return local == self.address or local.rpartition(":")[0] == self.address


Vector = Stolen | Account | Server | Listener


def has_files(vector: Vector) -> bool:
    """Whether the files of the vault are taken, with what stays readable in them."""
    return isinstance(vector, Stolen | Server)


def told(vector: Vector) -> dict[str, Any]:
    """A vector as JSON: for the answer, and for the entry that says what was asked."""
    span = {"from": vector.start.isoformat(), "to": vector.end.isoformat()}
    match vector:
        case Stolen(copy, at, known):
            asked = {"kind": "stolen", "what": copy.value, "at": at.isoformat()}
            return {**asked, "known": sorted(known)}
        case Account(member):
            return {"kind": "account", "member": member, **span}
        case Server(_, _, known):
            return {"kind": "server", **span, "known": sorted(known)}
        case Listener(address):
            return {"kind": "listener", "address": address, **span}
    assert_never(vector)


def check_asked(vector: Vector, now: datetime, founded: datetime | None) -> None:
    """Raise `UsageError` for a time at which nothing can have happened."""
    if vector.start > vector.end:
        raise UsageError(
            N_("the end of the time asked about lies before its beginning"),
            hint=N_("exchange `--from` and `--to`"),
        )
    if vector.end > now:
        raise UsageError(
            N_("the time asked about lies in the future"), hint=N_("it is {now} now"), now=now
        )
    if founded is not None and vector.end < founded:
        raise UsageError(
            N_("the vault was founded later: nothing was there to be taken"),
            hint=N_("ask about a time from {founded} on"),
            founded=founded,
        )
