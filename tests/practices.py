"""A founded practice for tests, in memory or on disk, with real reception and real keys.

Patients are fictional. Passwords derive with the real cost: a practice takes about a second.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tests.sealing import keep

from serment.adapters.memory.clock import MemoryClock
from serment.adapters.memory.packs import MemoryPacks
from serment.adapters.memory.search import MemorySearchTable
from serment.adapters.memory.store import MemoryStore
from serment.adapters.packs.local import LocalPacks
from serment.adapters.sqlite.store import SqliteStore
from serment.app.house import House
from serment.app.protect import members
from serment.app.protect.founding import Founded, found
from serment.app.protect.opening import Practice, Session
from serment.app.protect.reading import Reading
from serment.app.protect.receiver import SealedReceiver
from serment.app.protect.searching import Searching
from serment.app.watch.reads import Reads
from serment.app.watch.searches import Searches
from serment.core.crypto.entropy import new_id
from serment.core.dicom.fictional import FictionalPatient, FictionalStudy, Place, text_report
from serment.core.masked import Masked
from serment.core.records.vault import Role
from serment.ports import Packs, Receipt, Source, Store

PASSWORD = Masked("Tilleul-Phare-47-Grenade")
NAME = "Cabinet d'imagerie fictif"


@dataclass
class World:
    """One practice: its house, its people, what was received."""

    house: House
    founded: Founded
    practice: Practice = field(init=False)
    reads: Reads = field(init=False)
    searches: Searches = field(init=False)

    def __post_init__(self) -> None:
        self.practice = Practice(self.house)
        self.reads = Reads(self.house.store, self.house.clock, self.house.lock)
        self.searches = Searches(self.house.store, self.house.clock, self.house.lock)

    def add(self, login: str, *roles: Role, by: str = "admin", care: str = "care") -> str:
        """Add a member; his state."""
        with self.signed_in(by) as session:
            row = members.add(
                self.house, session.member, session.ring, login, PASSWORD, roles, care
            )
        return row.state.value

    def open(self, login: str) -> Session:
        return self.practice.sign_in(login, PASSWORD, need_code=False)

    def signed_in(self, login: str) -> _SignedIn:
        return _SignedIn(self, login)

    def receiver(self) -> SealedReceiver:
        lock = threading.Lock()
        return SealedReceiver(
            self.house.vault, self.house.store, self.house.packs, self.house.clock, lambda: lock
        )

    def receive(
        self, objects: Iterable[bytes], circle: str | None = None, device: str | None = None
    ) -> list[Receipt]:
        """One association that brings these objects; all durable when it returns."""
        reception = self.receiver().open(
            Source("dicom", device, circle, "192.0.2.10:50000", "127.0.0.1:11112")
        )
        receipts = [keep(reception, data) for data in objects]
        reception.sync()
        reception.close()
        return receipts

    def reading(self, session: Session) -> Reading:
        return Reading(self.practice, session, self.reads)

    def searching(self, session: Session) -> Searching:
        return Searching(self.practice, session, self.searches)


class _SignedIn:
    def __init__(self, world: World, login: str) -> None:
        self._world, self._login = world, login

    def __enter__(self) -> Session:
        self._session = self._world.open(self._login)
        return self._session

    def __exit__(self, *_: object) -> None:
        self._world.practice.lock(self._session)


def memory_world() -> World:
    return _found(MemoryStore(), MemoryPacks())


def disk_world(folder: Path) -> World:
    store = SqliteStore(folder / "vault.sqlite3", folder / "keys.copy")
    return _found(store, LocalPacks(folder / "packs"))


def _found(store: Store, packs: Packs) -> World:
    clock = MemoryClock()
    vault = new_id()
    founded = found(vault, NAME, store, clock, "admin", PASSWORD)
    house = House(
        vault,
        NAME,
        store,
        packs,
        clock,
        MemorySearchTable,
        threading.RLock(),
        threading.BoundedSemaphore(2),
    )
    return World(house, founded)


def patient(
    number: int = 1, name: str = "LEFÈVRE^Hélène", birth_date: str = "19570401", sex: str = "F"
) -> FictionalPatient:
    """A fictional person; the number makes identifiers differ."""
    return FictionalPatient(
        name,
        birth_date,
        sex,
        f"FICTIF{number:04}",
        f"2570499999{number:05}",
        f"{number} rue Imaginaire, 99999 Nulleville",
        f"+33 1 99 00 {number:04}",
    )


def study(of: FictionalPatient, number: int = 1, date: str = "20260104") -> FictionalStudy:
    """A fictional examination; the number makes UIDs and accession numbers differ."""
    accession = f"ACC{of.patient_id}{number:03}"
    return FictionalStudy(of, date, "101500", accession, "Compte rendu fictif", "DUPONT^Jean")


def report(of: FictionalStudy, number: int = 1, text: str = "Aucune anomalie imaginaire.") -> bytes:
    """A small object with clinical text: quick to seal, with something to leak."""
    return text_report(of, Place(1, number, "Rapport"), (("conclusion", (text,)),))
