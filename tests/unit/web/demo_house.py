"""The fictional practice's journal, members and settings."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from demo_journal import lines
from demo_people import CODE, RECOVERY, DemoPeople, Person
from demo_records import NOW, ref

from serment.core.breach.evidence import SENTENCES, Fact
from serment.core.breach.exposure import Category
from serment.core.masked import Masked
from serment.core.records.vault import Role
from serment.entrypoints.web import views as v
from serment.entrypoints.web.views import Who
from serment.errors import N_, AccessDenied, UsageError

VALUES = {
    "member": "a.perichon",
    "rule": "cnil-2022-100/80-bits",
    "kdf": "argon2id m=64MiB t=3 p=4",
    "since": NOW,
    "number": 417,
}


class DemoHouse(DemoPeople):
    """What is not about one patient."""

    def __init__(self) -> None:
        super().__init__()
        self.kit = v.KitView(NOW - timedelta(days=60), None, 0)
        self.looked: list[v.JournalQuery] = []
        self.new_members: list[v.NewMember] = []
        self.breaches: list[v.RadiusQuery] = []
        self.damaged = False
        self.empty = False
        self.pending_factor: set[str] = set()

    # After a breach

    def breach(self, session: str) -> v.BreachView:
        self._check_breach(session)
        return v.BreachView(tuple(self.people), NOW)

    def radius(self, session: str, query: v.RadiusQuery) -> v.RadiusView:
        person = self._check_breach(session)
        self.breaches.append(query)
        if not query.what:
            raise UsageError(N_("what was lost is not said"))
        reached = query.known or query.what != "disk"
        three = (1, 12, 0) if reached else (0, 0, 13)
        who = Who("LEFÈVRE Hélène", NOW.date(), "F", ())
        line = v.PatientLine(ref("patient", "LEFÈVRE"), who, 1, None)
        return v.RadiusView(
            patients=three,
            unfiled=(0, 2, 0) if reached else (0, 0, 2),
            categories=tuple(
                v.CategoryLine(each, three, None if each is Category.IDENTITY else three)
                for each in Category
            ),
            metadata=query.what == "disk",
            evidence=tuple(v.EvidenceLine(SENTENCES[fact], VALUES, 3, (417, 421)) for fact in Fact),
            named=None if not person.circles else (line,) if reached else (),
            kit=self.kit.shares_here >= 2,
            whole=not self.damaged,
            harmless=not (reached or self.damaged),
        )

    def _check_breach(self, session: str) -> Person:
        person = self.person(session)
        if v.Page.BREACH not in person.pages:
            raise AccessDenied(N_("this session may not ask whom a breach reached"))
        return person

    # Journal

    def journal(self, session: str, query: v.JournalQuery) -> v.JournalView:
        self.looked.append(query)
        person = self.person(session)
        own = not {Role.ADMINISTRATOR, Role.DPO} & set(person.roles)
        found = [
            line
            for line in lines("dpo" in person.circles or "secretariat" in person.circles)
            if (not query.kinds or line.kind in query.kinds)
            and (not own or line.actor == person.login)
        ]
        return v.JournalView(
            lines=tuple(found),
            day=query.day or NOW.date(),
            hours=tuple([0, 0, 0, 0, 0, 1, 2, 6, 14, 22, 18, 9, 3, 11, 16] + [0] * 9),
            total=len(found),
            page=query.page,
            pages=1,
            members=tuple((each.id, each.login) for each in self.people.values()),
            about="LEFÈVRE Hélène" if query.patient else "",
            size=1284,
            checkpoint=NOW - timedelta(minutes=1),
            own=own,
        )

    def verify(self, session: str, kept: str) -> v.VerdictView:
        if self.damaged:
            reason = N_("the leaf does not match the entry")
            return v.VerdictView(1284, False, 3, 417, reason, bool(kept))
        return v.VerdictView(1284, True, 3, None, "", bool(kept))

    def checkpoint(self, session: str) -> str:
        return "serment/demo\n1284\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— demo AAAA\n"

    # The house

    def members(self, session: str) -> v.MembersView:
        person = self.person(session)
        return v.MembersView(
            members=self.member_lines(session),
            circles=self.circle_lines(),
            devices=tuple(self.devices),
            care_circles=("care", "echo"),
            recovery_words=RECOVERY,
            may_add=Role.ADMINISTRATOR in person.roles,
            dicom="127.0.0.1:11112",
        )

    def add_member(self, session: str, new: v.NewMember) -> bool:
        if not new.roles:
            raise UsageError(N_("a member needs at least one role"), hint=N_("tick one"))
        self.new_members.append(new)
        self.people[new.login] = Person(new.login, new.roles, (), ("secretariat",))
        return False

    def _member(self, member: str) -> Person:
        return next(each for each in self.people.values() if each.id == member)

    def admit(self, session: str, member: str, compared: tuple[str, ...]) -> None:
        person = self._member(member)
        self.compared = compared
        person.circles, person.waiting = person.waiting, ()

    def remove_member(self, session: str, member: str) -> None:
        del self.people[self._member(member).login]

    def add_device(self, session: str, new: v.NewDevice) -> Masked[str]:
        line = v.DeviceLine(
            ref(new.name), new.name, new.ae_title, "SERMENT", new.address, new.circle, None
        )
        self.devices.append(line)
        return Masked("jeton-de-démonstration-6vY3p0Qw")

    def remove_device(self, session: str, device: str) -> None:
        self.devices = [each for each in self.devices if each.id != device]

    def settings(self, session: str) -> v.SettingsView:
        may = Role.ADMINISTRATOR in self.person(session).roles
        return v.SettingsView(self.kit, may, RECOVERY, 30, 12, 12, "0.1.0", 1, "AB:CD")

    def new_second_factor(self, session: str, code: str) -> v.SecondFactor:
        if self.person(session).second_factor and code != CODE:
            raise AccessDenied(N_("this code is not right"), hint=N_("wait for the next one"))
        self.pending_factor.add(session)
        return self._factor(session)

    def pending_second_factor(self, session: str) -> v.SecondFactor | None:
        return self._factor(session) if session in self.pending_factor else None

    def _factor(self, session: str) -> v.SecondFactor:
        login = self.person(session).login
        uri = f"otpauth://totp/Serment:{login}?secret=JBSWY3DPEHPK3PXP&issuer=Serment"
        return v.SecondFactor(Masked(uri), Masked("JBSW Y3DP EHPK 3PXP"))

    def confirm_second_factor(self, session: str, code: str) -> None:
        if session not in self.pending_factor or code != CODE:
            raise AccessDenied(N_("this code is not right"), hint=N_("wait for the next one"))
        self.person(session).second_factor = True

    def declare_kit(self, session: str) -> None:
        self.kit = replace(self.kit, printed=self.now)
