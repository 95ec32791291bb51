"""Who works in the fictional practice, and their sessions; time moves only when a test says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from demo_records import NOW, ref

from serment.core.masked import Masked
from serment.core.records.vault import CircleKind, MemberState, Role
from serment.entrypoints.web.views import (
    CircleLine,
    DeviceLine,
    MemberLine,
    Page,
    Peer,
    SessionView,
    Welcome,
)
from serment.errors import N_, AccessDenied, Busy
from serment.ports import Progress

PASSWORD = "sept mots bien choisis pour la démo"
CODE = "123456"
WORDS = ("academic", "acid", "beaver", "carve", "daisy", "emerald", "fiction", "garlic")
RECOVERY = ("hazard", "insect", "jacket", "knife", "lunar", "mineral", "numb", "orange")
IDLE = timedelta(minutes=30)
EVERYBODY = {Page.HOME, Page.JOURNAL, Page.MEMBERS, Page.SETTINGS}


@dataclass
class Person:
    login: str
    roles: tuple[Role, ...]
    circles: tuple[str, ...]
    waiting: tuple[str, ...] = ()
    second_factor: bool = False

    @property
    def id(self) -> str:
        return ref("member", self.login)

    @property
    def state(self) -> MemberState:
        return MemberState.PENDING if self.waiting else MemberState.ACTIVE

    @property
    def pages(self) -> frozenset[Page]:
        pages = set(EVERYBODY)
        if {"secretariat", "dpo"} & set(self.circles):
            pages |= {Page.STUDIES, Page.PATIENTS}
        if "secretariat" in self.circles:
            pages |= {Page.TO_FILE}
        if not {Role.DOCTOR, Role.DPO, Role.ADMINISTRATOR}.isdisjoint(self.roles):
            pages |= {Page.BREACH}
        return frozenset(pages)


def everybody() -> dict[str, Person]:
    doctor, secretary = Role.DOCTOR, Role.SECRETARY
    people = (
        Person("a.perichon", (doctor, Role.ADMINISTRATOR), ("secretariat", "care"), (), True),
        Person("c.delamarrege", (doctor,), ("secretariat", "echo"), (), True),
        Person("m.laurent", (secretary,), ("secretariat",)),
        Person("s.ozanneau", (Role.DPO,), ("dpo",), (), True),
        Person("l.bertin", (secretary,), (), ("secretariat",)),
    )
    return {person.login: person for person in people}


@dataclass
class Open:
    person: Person
    last: datetime


class DemoPeople:
    """Sessions, members, devices."""

    def __init__(self) -> None:
        self.now = NOW
        self.people = everybody()
        self.open: dict[str, Open] = {}
        self.failures = 0
        self.peers: list[Peer] = []
        self.work: Callable[[Progress], None] = lambda progress: None  # while signing in
        self.devices = [
            DeviceLine(ref(name), name, title, "SERMENT", f"192.168.1.{20 + at}", circle, last)
            for at, (name, title, circle, last) in enumerate(
                (
                    ("Scanner Nord", "SCANNER1", "care", NOW - timedelta(minutes=14)),
                    ("Échographe salle 2", "ECHO2", "echo", NOW - timedelta(hours=3)),
                    ("Table de radio", "RADIO", "care", None),
                )
            )
        ]

    # Sessions

    def welcome(self) -> Welcome:
        return Welcome("Imagerie du Belvédère", receiving=True)

    def authority(self) -> bytes:
        return b"-----BEGIN CERTIFICATE-----\n"

    def sign_in(
        self,
        login: str,
        password: Masked[str],
        code: str,
        peer: Peer,
        progress: Progress | None = None,
    ) -> str:
        self.peers.append(peer)
        if progress is not None:
            self.work(progress)
        if self.failures >= 3:
            raise Busy(
                N_("too many attempts for this login"), hint=N_("wait a minute, then try again")
            )
        person = self.people.get(login)
        wanted = CODE if person and person.second_factor else ""
        if person is None or password.reveal() != PASSWORD or code != wanted:
            self.failures += 1
            raise AccessDenied(
                N_("the login or the password is not right"),
                hint=N_("check both; after three failures the account waits a minute"),
            )
        session = ref("session", login, len(self.peers))
        self.open[session] = Open(person, self.now)
        return session

    def session(self, session: str, active: bool, peer: Peer) -> SessionView | None:
        found = self.open.get(session)
        if found is None:
            return None
        if self.now - found.last >= IDLE:
            del self.open[session]
            return None
        if active:
            found.last = self.now
        person = found.person
        return SessionView(
            id=session,
            practice="Imagerie du Belvédère",
            member=person.id,
            login=person.login,
            roles=person.roles,
            state=person.state,
            circles=person.circles,
            waiting=person.waiting,
            words=WORDS,
            pages=person.pages,
            images=bool({"care", "echo"} & set(person.circles)),
            second_factor=person.second_factor,
            left_seconds=self.left(session),
        )

    def left(self, session: str) -> int:
        return int((IDLE - (self.now - self.open[session].last)).total_seconds())

    def lock(self, session: str) -> None:
        self.open.pop(session, None)

    def lock_all(self, session: str) -> None:
        self.open.clear()

    def person(self, session: str, circle: str = "") -> Person:
        person = self.open[session].person
        if circle and circle not in person.circles:
            raise AccessDenied(
                N_("no key: this session cannot open images, reports or clinical headers"),
                hint=N_("ask a doctor of the care circle that received it"),
            )
        return person

    # Members and devices

    def member_lines(self, session: str) -> tuple[MemberLine, ...]:
        me = self.open[session].person
        boss = Role.ADMINISTRATOR in me.roles
        return tuple(
            MemberLine(
                id=person.id,
                login=person.login,
                roles=person.roles,
                circles=person.circles,
                waiting=person.waiting,
                state=person.state,
                words=WORDS[::-1],
                created=NOW - timedelta(days=90),
                second_factor=person.second_factor,
                open=any(each.person is person for each in self.open.values()),
                may_admit=bool(set(person.waiting) & set(me.circles)),
                may_remove=boss and person is not me,
            )
            for person in self.people.values()
        )

    def circle_lines(self) -> tuple[CircleLine, ...]:
        def held(name: str) -> int:
            return sum(name in person.circles for person in self.people.values())

        kinds = {"secretariat": CircleKind.SECRETARIAT, "dpo": CircleKind.DPO}
        names = ("care", "echo", "secretariat", "dpo")
        lines = [
            CircleLine(name, kinds.get(name, CircleKind.CARE), 1, held(name), False, name == "echo")
            for name in names
        ]
        return (*lines, CircleLine("recovery", CircleKind.RECOVERY, 1, 0, False, False))
