"""A practice of two care circles, and what a breach of it reached."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from tests.practices import PASSWORD, World, patient, report, study
from tests.unit.web_practice.pages import Machine, staffed, twin

from serment.app.protect.unlocking import password_wrap
from serment.app.respond.radius import Question, radius
from serment.app.watch.checkpoints import Checkpoints
from serment.core.access.strength import Strength
from serment.core.breach.evidence import Evidence, Fact
from serment.core.breach.exposure import Exposure
from serment.core.breach.radius import Radius
from serment.core.journal.caller import on_this_machine
from serment.core.journal.entries import Entry, EventKind
from serment.core.records.vault import Envelope, Member, Setting
from serment.entrypoints.desk.journal import PUBLIC_KEY

HOUR = timedelta(hours=1)
NAMES = ("ABEILLE", "BLAIREAU", "CASTOR", "DAIM", "ÉCUREUIL", "FAUCON", "GRENOUILLE", "HÉRON")


@dataclass
class Practice:
    """A founded practice whose clock a test moves, and the questions asked of it."""

    world: World
    machine: Machine = field(default_factory=Machine)

    @property
    def now(self) -> datetime:
        return self.world.house.clock.now()

    def wait(self, time: timedelta = timedelta(minutes=1)) -> datetime:
        """The time before it went on."""
        before = self.now
        self.world.house.clock.advance(time.total_seconds())  # type: ignore[attr-defined]
        return before

    def member(self, login: str) -> Member:
        (row,) = self.world.house.store.find(Member, login=login)
        return row

    def bring(self, number: int, circle: str = "care", *, name: str = "") -> str:
        """One report of that fictional patient arrives; its envelope."""
        known = {e.id for e in self.world.house.store.find(Envelope)}
        who = patient(number, name or f"{NAMES[number]}^Fictive", f"19{50 + number}0401")
        self.world.receive([report(study(who, number))], circle)
        (new,) = (e.id for e in self.world.house.store.find(Envelope) if e.id not in known)
        self.wait()
        return new

    def visit(self, *logins: str) -> None:
        """Each of them signs in, which files and moves what waits, and locks."""
        for login in logins:
            with self.world.signed_in(login):
                self.wait()
            self.wait()

    def patient_of(self, envelope: str) -> str:
        row = self.world.house.store.get(Envelope, envelope)
        assert row is not None and row.patient is not None
        return row.patient

    def set_password(self, login: str, strength: Strength | None) -> None:
        """As a program with another rule or cost would have set it, or one that says nothing."""
        house, member = self.world.house, self.member(login)
        with self.world.signed_in(login) as session:
            assert session.seed is not None
            wrap = password_wrap(house.vault, member, session.seed, PASSWORD)
        entry = Entry(EventKind.MEMBER_PASSWORD, self.now, member.id, {"member": member.id})
        with house.store.change(entry) as tx:
            tx.put(wrap)
            if strength is not None:
                tx.note(password=strength.details())
        self.wait()

    def sign(self) -> None:
        """The journal's checkpoint, as the worker makes it every minute."""
        world, house = self.world, self.world.house
        keeper = Checkpoints(
            house.store, house.clock, world.founded.journal_key, house.vault, 0, founding=True
        )
        keeper.sign_if_changed()

    def ask(self, **question: object) -> Radius:
        house = self.world.house
        self.sign()
        key = house.store.get(Setting, PUBLIC_KEY)
        assert key is not None
        with on_this_machine():
            return radius(house, self.machine, key.value, "local", Question(**question))  # type: ignore[arg-type]

    def stolen(self, at: datetime, *known: str, what: str = "disk") -> Radius:
        return self.ask(stolen=what, at=at, known=known)


def found(radius_: Radius) -> dict[str, int]:
    """How many patients, in words."""
    return {each.name.lower(): n for each, n in radius_.numbers.patients.items() if n}


def evidence(radius_: Radius) -> dict[Fact, Evidence]:
    return {each.fact: each for each in radius_.evidence}


def ids(radius_: Radius, *exposures: Exposure) -> set[str]:
    return {one for exposure in exposures for one in radius_.ids(exposure)}


@pytest.fixture(scope="module")
def founded() -> World:
    return staffed()


@pytest.fixture
def practice(founded: World) -> Practice:
    """The practice as founded, for one test."""
    made = Practice(twin(founded))
    made.wait(3 * HOUR)
    return made
