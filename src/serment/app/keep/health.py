"""What `serment doctor` finds in a vault, locked or not, and what to do about each thing.

Checks structure, digests, presence, every row against the journal (`rows`) or its pack (`objects`), and
that wraps lead from every object to a circle or to the kit; contents are authenticated only by
whoever holds a key.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from serment.app import circles
from serment.app.house import House
from serment.app.keep.copy import RENEWED, doubt
from serment.app.keep.objects import odd_objects
from serment.app.keep.reach import Reach
from serment.app.keep.rows import Compared, compare
from serment.app.protect.mending import replayed
from serment.core.journal.copies import KEPT
from serment.core.records import names
from serment.core.records.vault import Envelope, StoredObject, WrapKind
from serment.errors import N_, SermentError
from serment.ports import OneOf, Place, Progress, Store, Surroundings

PAGE = 1000  # rows looked at together
ELSEWHERE = N_(
    "if nobody erased it: only a backup of the vault's folder, or a vault.sqlite3.damaged* in it, may "
    "have the key; what a device still has, it can send again"
)
BEHIND = N_(
    "the disk, or somebody, changed the database behind Serment's back: `serment doctor` with the server "
    "stopped takes back what the second copy of the keys has right, unless an entry of the journal since "
    "is damaged; run `serment journal verify`, call your DPO, restore from a backup what is still named "
    "and nobody erased"
)
ROWS_TOLD = 100  # one by one
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
    rows: int = 0  # held against the journal
    findings: list[Finding] = field(default_factory=list)
    renew_copy: bool = False  # the database is sound, its second copy would not do

    def add(self, grade: Grade, message: str, hint: str, **values: Any) -> None:
        self.findings.append(Finding(grade, message, hint, values))


def examine(
    house: House,
    surroundings: Surroundings,
    progress: Progress,
    *,
    thorough: bool = True,
    compared: Compared | None = None,
) -> Health:
    """Look at everything; `thorough` recomputes the SHA-256 of every object. `compared`: what the
    rows were before something was mended."""
    health = Health()

    def keys_and_objects() -> None:
        reach = Reach(house.store)
        _circles(reach, health)
        _objects(house, reach, health, progress, thorough)

    for check in (
        lambda: _database(house, health),
        lambda: _rows(compared or compare(house.store), health),
        lambda: _copy(house, health, thorough),
        lambda: _packs(house, health, thorough),
        keys_and_objects,
        lambda: _around(house, surroundings, health),
        lambda: _circles_at_work(house, health),
    ):
        _as_far_as_possible(health, check)
    return health


def _as_far_as_possible(health: Health, check: Callable[[], None]) -> None:
    """A row that makes no sense ends one check, not the examination."""
    try:
        check()
    except SermentError as error:
        health.add(
            Grade.BAD, N_("something was not checked to its end: {what}"), BEHIND, what=str(error)
        )


def _database(house: House, health: Health) -> None:
    for line in house.store.check():
        health.add(
            Grade.BAD,
            N_("the database is damaged: {what}"),
            N_(
                "stop the server, then `serment doctor --restore-keys`: the second copy keys.copy "
                "has members, keys and journal"
            ),
            what=line,
        )


def _rows(found: Compared, health: Health) -> None:
    health.rows = found.rows
    for odd in found.odd[:ROWS_TOLD]:
        health.add(Grade.BAD, odd.message, BEHIND, table=odd.table, row=odd.row)
    if len(found.odd) > ROWS_TOLD:
        health.add(
            Grade.BAD,
            N_("{count} more rows are not what the journal tells of"),
            BEHIND,
            count=len(found.odd) - ROWS_TOLD,
        )


def _copy(house: House, health: Health, thorough: bool) -> None:
    sound = not health.findings  # of the database and its rows, which were looked at before
    if found := doubt(house.store, house.clock.now(), thorough=thorough):
        hint = RENEWED if found.renew else KEPT
        grade = Grade.ATTENTION if found.renew else Grade.BAD
        health.add(grade, found.message, hint, **found.values)
        health.renew_copy = sound and found.renew


def _packs(house: House, health: Health, thorough: bool) -> None:
    known = replayed(house.store)
    for name in house.packs.names():
        health.packs += 1
        for message, each in odd_objects(house, name) if thorough and name in known else ():
            health.add(Grade.BAD, message, BEHIND, object=each)
        for line in house.packs.check(name):
            health.add(
                Grade.BAD,
                N_("the pack {pack} is torn: {what}"),
                N_(
                    "its whole objects stay readable; what a restart of the server does not mend, "
                    "restore from a backup of this pack"
                ),
                pack=name,
                what=line,
            )


def _circles(reach: Reach, health: Health) -> None:
    for circle in reach.lost_circles():
        health.add(
            Grade.BAD,
            N_("nobody holds the key of the circle {circle} any more"),
            ELSEWHERE,
            circle=circle.id,
        )


def _objects(
    house: House, reach: Reach, health: Health, progress: Progress, thorough: bool
) -> None:
    cursor, keys = 0, _Keys(house.store, reach, health)
    progress.total(house.store.count(StoredObject))
    while page := house.store.objects_after(cursor, PAGE):
        for _, row in page:
            health.objects += 1
            _object(house, row, health, thorough)
            progress.step()
        keys.look({row.envelope for _, row in page})
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


@dataclass(frozen=True, slots=True)
class _Keys:
    """Follows the wraps of the envelopes of a page of objects; each loss is told once."""

    store: Store
    reach: Reach
    health: Health
    told: set[tuple[str, ...]] = field(default_factory=set)

    def look(self, ids: set[str]) -> None:
        """Of each envelope: its row, its seed, its identity header and its patient's name."""
        found = {e.id: e for e in self.store.find(Envelope, id=OneOf(ids))}
        subjects = {names.envelope(each): each for each in found}
        seeds = self.reach.opened(WrapKind.ENVELOPE_SEED, subjects)
        headers = self.reach.opened(WrapKind.ENVELOPE_IDENTITY, subjects)
        patients = {e.patient for e in found.values() if e.patient is not None}
        reached = self.reach.opened(WrapKind.PATIENT_IDENTITY, set(map(names.patient, patients)))
        lost = {patient for patient in patients if names.patient(patient) not in reached}
        for each in sorted(ids - found.keys()):
            self._tell(N_("the envelope {envelope} is gone, and its keys with it"), envelope=each)
        for subject, each in subjects.items():
            if subject not in seeds:
                self._tell(N_("nothing opens the envelope {envelope} any more"), envelope=each)
            if subject not in headers and found[each].patient not in lost:
                self._tell(
                    N_("nothing opens the identity headers of the envelope {envelope} any more"),
                    envelope=each,
                )
        for each in sorted(lost):
            self._tell(N_("nothing opens the name of the patient {patient} any more"), patient=each)

    def _tell(self, message: str, **values: str) -> None:
        told = (message, *values.values())
        if told not in self.told:
            self.told.add(told)
            self.health.add(Grade.BAD, message, ELSEWHERE, **values)


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
    for path, since in surroundings.damaged_files():
        health.add(
            Grade.ATTENTION,
            N_("{path} lies here since {at}: it still has the keys that were deleted after that"),
            N_("once nothing is missing any more: `serment doctor --forget-damaged` deletes it"),
            path=path,
            at=since.isoformat(timespec="minutes"),
        )
    if surroundings.free_bytes() < LOW_SPACE:
        health.add(
            Grade.ATTENTION,
            N_("only {free} MB are free on the vault's disk"),
            N_("free some space or move the vault to a larger disk"),
            free=surroundings.free_bytes() // 1_000_000,
        )
    if lacks := surroundings.decoder_lacks():
        health.add(
            Grade.ATTENTION,
            N_("the process that decodes pictures is not shut off here as it should be: {what}"),
            N_("it holds no key; docs/limits.md says what each system can deny it"),
            what=", ".join(lacks),
        )
    if lacks := surroundings.talker_lacks():
        health.add(
            Grade.ATTENTION,
            N_(
                "the process that talks to the network is not shut off here as it should be: {what}"
            ),
            N_(
                "it holds no key; an answer made to attack it could open this account's files "
                "(docs/threat-model.md): audit from a machine where nothing is lacking"
            ),
            what=", ".join(lacks),
        )


def _circles_at_work(house: House, health: Health) -> None:
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
