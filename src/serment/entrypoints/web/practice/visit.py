"""One call of a page: the desk, the session behind the cookie, and how to reach what it opens."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from serment.app.house import House
from serment.app.protect.filing import Filing
from serment.app.protect.opening import Practice, Session
from serment.app.protect.reading import Reading
from serment.app.protect.searching import Searching
from serment.app.protect.sessions import session_over
from serment.core.access.rights import Act, can, check_may
from serment.core.records.vault import Device, Member
from serment.entrypoints.desk.desk import Desk
from serment.ports import SearchTable, Store


@dataclass(frozen=True, slots=True)
class Visit:
    """What one call may use."""

    desk: Desk
    session: Session

    @property
    def practice(self) -> Practice:
        return self.desk.practice

    @property
    def house(self) -> House:
        return self.desk.house

    @property
    def store(self) -> Store:
        return self.desk.house.store

    @property
    def now(self) -> datetime:
        return self.house.clock.now()

    @property
    def reading(self) -> Reading:
        return self.desk.reading(self.session)

    @property
    def searching(self) -> Searching:
        return self.desk.searching(self.session)

    def may(self, act: Act) -> bool:
        return can(self.session.member.roles, act, self.session.ring.circles)

    def check(self, act: Act) -> None:
        """Raise `AccessDenied` unless the session may, `VaultLocked` once it is over."""
        if self.session.seed is None:
            raise session_over()
        check_may(self.session.member.roles, act, self.session.ring.circles)

    def identities(self) -> SearchTable:
        """The table of the identity circle this session holds; errors as `check`."""
        return self.practice.table(self._identity())

    def filing(self) -> Filing:
        """The patients that circle knows; use it under the house's lock."""
        return self.practice.filing(self._identity())

    def _identity(self) -> str:
        self.check(Act.SEARCH)
        return self.session.identity or ""

    def version(self) -> int:
        """A number that differs once a list of this session may have changed."""
        tables = self.practice.tables
        return sum(tables[c].version for c in self.session.ring.circles if c in tables)

    def note(self, level: str, envelopes: Iterable[str]) -> None:
        """Journal what a list is about to show."""
        peer = self.session.peer
        self.desk.searches.note(
            session=self.session.id,
            member=self.session.member.id,
            level=level,
            envelopes=sorted(set(envelopes)),
            peer=peer.address,
            local=peer.local,
            tls=peer.tls,
        )

    def note_identity(self, patient: str, envelope: str) -> None:
        """Journal that a patient's identity and the list of what he has is about to be shown."""
        peer = self.session.peer
        self.desk.reads.allow(
            session=self.session.id,
            member=self.session.member.id,
            envelope=envelope,
            study=patient,
            objects=[patient],
            kind="identity",
            patient=patient,
            peer=peer.address,
            local=peer.local,
            tls=peer.tls,
        )

    def logins(self) -> dict[str, str]:
        """Login of every member there ever was, by id."""
        return {member.id: member.login for member in self.store.find(Member)}

    def devices(self) -> dict[str, str]:
        """Name of every device there ever was, by id."""
        return {device.id: device.name for device in self.store.find(Device)}
