"""The file of pairings (0600): keys, the helper's place, and when each pairing was last used.

It is all that either side keeps. Every change holds a lock and replaces the file as a whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from serment.adapters.system import (
    disk_error,
    loose_permissions,
    make_private_folder,
    turn,
    write_private,
)
from serment.core.crypto import entropy
from serment.core.crypto.secret import Key, Seed
from serment.core.exposure.peer.pairing import Bond
from serment.core.exposure.peer.rules import PAUSE
from serment.core.exposure.peer.visit import Purpose
from serment.errors import N_, Conflict, FormatError, NotFound, Unavailable, UsageError

VERSION: Final = 1
FILE_LIMIT: Final = 256 * 1024  # bytes
MOST_PAIRINGS: Final = 100
NAME_LIMIT: Final = 40  # characters
_LOCK_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One pairing. `place`: HOST:PORT of the helper; empty where this machine is the helper."""

    name: str
    bond: Bond
    since: datetime
    place: str = ""
    used: dict[Purpose, datetime] = field(default_factory=dict)


class Book:
    """The pairings in one file, which need not exist."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def entries(self) -> tuple[Entry, ...]:
        """All, by name.

        Raises:
            FormatError: the file was changed.
            Unavailable: it cannot be read, or others than its owner may read it.
        """
        try:
            if loose_permissions(self._path):
                raise Unavailable(
                    N_("others may read the file of pairings {path}"),
                    hint=N_(
                        "it holds keys: chmod 600, and pair again if somebody may have read it"
                    ),
                    path=str(self._path),
                )
            with self._path.open("rb") as stream:
                return _parse(stream.read(FILE_LIMIT + 1))
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise disk_error(error) from error

    def named(self, name: str) -> Entry:
        """The helper of that name.

        Raises:
            NotFound: there is none.
        """
        for each in self.entries():
            if each.name == name and each.place:
                return each
        raise NotFound(
            N_("there is no helper named {name}"),
            hint=N_("`serment scan peer list` names them; `serment scan peer pair` adds one"),
            name=name[:NAME_LIMIT],
        )

    def find(self, bond: bytes) -> Entry | None:
        """The practice with that pairing, which may ask this machine."""
        matching = (each for each in self.entries() if entropy.same(each.bond.id, bond))
        return next((each for each in matching if not each.place), None)

    def check_name(self, name: str) -> None:
        """Raise unless a pairing may be added under that name: `UsageError`, `Conflict`."""
        if not 0 < len(name) <= NAME_LIMIT or not name.isprintable() or name != name.strip():
            raise UsageError(N_("a pairing's name is one short line"), hint=N_("such as colleague"))
        entries = self.entries()
        if any(each.name == name for each in entries):
            raise Conflict(
                N_("there is a pairing named {name} already"),
                hint=N_("choose another name, or forget that one: `serment scan peer forget`"),
                name=name,
            )
        if len(entries) >= MOST_PAIRINGS:
            raise Conflict(
                N_("there are too many pairings"),
                hint=N_("forget some: `serment scan peer forget`"),
            )

    def add(self, entry: Entry) -> None:
        """Raises Conflict, UsageError: see `check_name`."""
        with self._changing():
            self.check_name(entry.name)
            self._write((*self.entries(), entry))

    def forget(self, name: str) -> None:
        """Raises NotFound."""
        with self._changing():
            entries = self.entries()
            kept = [each for each in entries if each.name != name]
            if len(kept) == len(entries):
                raise NotFound(
                    N_("there is no pairing named {name}"),
                    hint=N_("`serment scan peer list` names them"),
                    name=name[:NAME_LIMIT],
                )
            self._write(kept)

    def claim(self, bond: bytes, purpose: Purpose, now: datetime) -> timedelta:
        """Mark a visit, durably; zero when it may go on, else how long until the next one."""
        with self._changing():
            entries = self.entries()
            for number, each in enumerate(entries):
                if each.bond.id != bond:
                    continue
                last = each.used.get(purpose)
                if last is not None and last <= now < last + PAUSE:
                    return last + PAUSE - now
                used = replace(each, used={**each.used, purpose: now})
                self._write((*entries[:number], used, *entries[number + 1 :]))
                return timedelta()
        return PAUSE  # forgotten meanwhile

    @contextmanager
    def _changing(self) -> Iterator[None]:
        make_private_folder(self._path.parent)
        with turn(self._path.with_name(self._path.name + ".lock"), _LOCK_SECONDS):
            yield

    def _write(self, entries: Any) -> None:
        ordered = sorted(entries, key=lambda each: each.name)
        value = {"version": VERSION, "pairings": [_written(each) for each in ordered]}
        write_private(self._path, json.dumps(value, indent=1).encode("ascii"))


def _written(entry: Entry) -> dict[str, Any]:
    bond = entry.bond
    return {
        "name": entry.name,
        "place": entry.place,
        "since": entry.since.isoformat(),
        "id": bond.id.hex(),
        "secret": bond.secret.reveal().hex(),
        "own": bond.own.reveal().hex(),
        "other": bond.other.hex(),
        "used": {purpose.name.lower(): at.isoformat() for purpose, at in entry.used.items()},
    }


def _parse(raw: bytes) -> tuple[Entry, ...]:
    try:
        if len(raw) > FILE_LIMIT:
            raise ValueError
        value = json.loads(raw)
        if value["version"] != VERSION:
            raise ValueError
        return tuple(_entry(each) for each in value["pairings"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, FormatError) as error:
        raise FormatError(
            N_("the file of pairings cannot be read"),
            hint=N_("remove it and pair again, or install the newer Serment that wrote it"),
        ) from error


def _entry(value: dict[str, Any]) -> Entry:
    raw = {name: bytes.fromhex(value[name]) for name in ("id", "secret", "own", "other")}
    return Entry(
        str(value["name"]),
        Bond(raw["id"], Key(raw["secret"]), Seed(raw["own"]), raw["other"]),
        datetime.fromisoformat(value["since"]),
        str(value["place"]),
        {Purpose[name.upper()]: datetime.fromisoformat(at) for name, at in value["used"].items()},
    )
