"""What `serment doctor` finds in a vault, locked or not, and what to do about each thing.

Checks structure, digests and presence; contents are authenticated only by whoever holds a key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from serment.app import circles
from serment.app.house import House
from serment.core.records.vault import Envelope, StoredObject, Wrap, WrapKind
from serment.errors import N_, SermentError
from serment.ports import Place, Progress, Surroundings

LOW_SPACE = 2 * 1024**3  # bytes


class Grade(StrEnum):
    BAD = "bad"
    ATTENTION = "attention"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to do something about: message and hint are gettext ids."""

    grade: Grade
    message: str
    hint: str
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Health:
    """What was looked at and what was found."""

    objects: int = 0
    packs: int = 0
    findings: list[Finding] = field(default_factory=list)

    def add(self, grade: Grade, message: str, hint: str, **values: Any) -> None:
        self.findings.append(Finding(grade, message, hint, values))


def examine(
    house: House, surroundings: Surroundings, progress: Progress, *, thorough: bool = True
) -> Health:
    """Look at everything; `thorough` recomputes the SHA-256 of every object."""
    health = Health()
    _database(house, health)
    _packs(house, health)
    _objects(house, health, progress, thorough)
    _wraps(house, health)
    _around(house, surroundings, health)
    return health


def _database(house: House, health: Health) -> None:
    for line in house.store.check():
        health.add(
            Grade.BAD,
            N_("the database is damaged: {what}"),
            N_("stop the server; the second copy keys.copy restores members, keys and journal"),
            what=line,
        )


def _packs(house: House, health: Health) -> None:
    for name in house.packs.names():
        health.packs += 1
        for line in house.packs.check(name):
            health.add(
                Grade.BAD,
                N_("the pack {pack} is torn: {what}"),
                N_("restart the server: it keeps every whole object and cuts the rest"),
                pack=name,
                what=line,
            )


def _objects(house: House, health: Health, progress: Progress, thorough: bool) -> None:
    cursor = 0
    progress.total(house.store.count(StoredObject))
    while page := house.store.objects_after(cursor, 1000):
        for _, row in page:
            health.objects += 1
            _object(house, row, health, thorough)
            progress.step()
        cursor = page[-1][0]


def _object(house: House, row: StoredObject, health: Health, thorough: bool) -> None:
    hint = N_("restore it from a backup; nothing else is affected")
    try:
        if not thorough:
            house.packs.read(row.pack, row.offset + row.size - 1, 1)
        elif not house.packs.verify(Place(row.pack, row.offset, row.size, row.sha256)):
            health.add(Grade.BAD, N_("object {object} was changed or damaged"), hint, object=row.id)
    except SermentError:
        health.add(Grade.BAD, N_("object {object} is missing"), hint, object=row.id)


def _wraps(house: House, health: Health) -> None:
    wrapped = {w.subject for w in house.store.find(Wrap, kind=WrapKind.ENVELOPE_SEED)}
    for envelope in house.store.find(Envelope):
        if f"envelope:{envelope.id}" not in wrapped:
            health.add(
                Grade.BAD,
                N_("nothing opens the envelope {envelope} any more"),
                N_("if nobody erased it, restore keys.copy from a backup"),
                envelope=envelope.id,
            )


def _around(house: House, surroundings: Surroundings, health: Health) -> None:
    shares = surroundings.shares_here()
    if shares >= 2:
        health.add(
            Grade.BAD,
            N_("a thief reads everything: the kit is here ({shares} of 3 shares)"),
            N_("print the shares, put them in different places, delete the files"),
            shares=shares,
        )
    for path in surroundings.loose_files():
        health.add(
            Grade.ATTENTION,
            N_("{path} can be read by others on this machine"),
            N_("chmod -R go= the vault's folder"),
            path=path,
        )
    if surroundings.free_bytes() < LOW_SPACE:
        health.add(
            Grade.ATTENTION,
            N_("only {free} MB are free on the vault's disk"),
            N_("free some space or move the vault to a larger disk"),
            free=surroundings.free_bytes() // 1_000_000,
        )
    for circle in circles.current(house.store).values():
        if circle.stopped:
            health.add(
                Grade.BAD,
                N_("the public key of the circle {circle} was changed: receiving is stopped"),
                N_(
                    "call your DPO; run `serment journal verify`. A care circle's or the DPO's new "
                    "key that is right: `serment circle accept`, its words compared"
                ),
                circle=circle.id,
            )
        if circle.stale:
            health.add(
                Grade.ATTENTION,
                N_("a member left the circle {circle}: its new key waits for a session"),
                N_("any remaining member signs in once"),
                circle=circle.id,
            )
