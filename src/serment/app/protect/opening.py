"""Opens and locks the practice: sessions, the circles they keep open, and their search tables.

A circle is open while one session holds its seed; the last to close drops the seed and its rows.
Idle time, absolute time and what counts as activity are decided in `core.access.sessions`;
throttling of wrong passwords in `core.access.throttle`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from serment.app import circles
from serment.app.house import House
from serment.app.keyring import Keyring
from serment.app.protect import members, repeats
from serment.app.protect.filing import Filing, move_clinical, share_with_new_readers
from serment.app.protect.news import News
from serment.app.protect.remembered import Remembered
from serment.app.protect.second_factor import check_code
from serment.app.protect.tables import CircleTable
from serment.core.access.sessions import Lifetime, begin, end_of, ends_at, seen
from serment.core.access.throttle import Attempts
from serment.core.crypto.entropy import new_id, new_token
from serment.core.crypto.secret import Seed
from serment.core.journal.entries import Entry, EventKind
from serment.core.masked import Masked
from serment.core.records.vault import CircleKind, Member, MemberState
from serment.errors import N_, AccessDenied, VaultLocked
from serment.ports import Progress


@dataclass(frozen=True, slots=True)
class Peer:
    """Where a request comes from; "local" is the command line of this machine."""

    address: str = "local"
    local: str = "local"
    tls: bool = False

    @property
    def host(self) -> str:
        """The address without its port, which changes with each connection."""
        host, colon, port = self.address.rpartition(":")
        return host.strip("[]") if colon and port.isdecimal() else self.address

    @property
    def here(self) -> bool:
        """Whether it is this machine."""
        try:
            address = ipaddress.ip_address(self.host)
        except ValueError:
            return self.host == "local"
        mapped = address.ipv4_mapped if address.version == 6 else None
        return (mapped or address).is_loopback


@dataclass(slots=True)
class Session:
    """One person, signed in: his keys, and when he was last active."""

    token: str  # 256 random bits: the cookie, or the bearer token
    id: str  # random, named in the journal
    member: Member
    ring: Keyring
    peer: Peer
    lifetime: Lifetime
    remembered: Remembered  # what it opened lately
    pending_totp: Masked[str] | None = None
    seed: Seed | None = field(default=None, repr=False)

    def holds(self, circle: str) -> bool:
        return self.ring.holds(circle)

    @property
    def ends_at(self) -> datetime:
        """When it locks by itself if nobody does anything more."""
        return ends_at(self.lifetime)

    @property
    def care(self) -> list[str]:
        """Care circles whose keys are here."""
        return sorted(c for c in self.ring.circles if circles.kind_of(c) is CircleKind.CARE)

    @property
    def identity(self) -> str | None:
        """The circle through which identities are read here, if any."""
        for name in (circles.SECRETARIAT, circles.DPO):
            if self.ring.holds(name):
                return name
        return None


def _check_enrolled(member: Member, peer: Peer) -> None:
    """A password alone opens nothing from another machine."""
    if member.totp is None and not peer.here:
        raise AccessDenied(
            N_("from another machine, a second factor is needed, and you have none yet"),
            hint=N_("sign in once on the server itself and turn it on under Settings"),
        )


def quiet(count: int) -> None:
    """Report no progress."""


class Practice:
    """The open practice: who is signed in, which circles are open, what their tables hold."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.sessions: dict[str, Session] = {}
        self.tables: dict[str, CircleTable] = {}
        self.attempts = Attempts()
        self._version: int | None = None
        self._news = News(house.store)
        self._codes: dict[str, int] = {}  # last time step used, by member
        self._filings: dict[str, Filing] = {}
        self.on_close: list[Callable[[str], None]] = []  # told the name of a circle that closed
        self.damaged = 0

    # Sessions

    def sign_in(
        self,
        login: str,
        password: Masked[str],
        code: str = "",
        peer: Peer | None = None,
        need_code: bool = True,
        progress: Progress | None = None,
    ) -> Session:
        """Open a session; everything wrong looks the same.

        Raises:
            AccessDenied: login, password or code wrong, or a second factor is missing from afar.
            Busy: too many attempts for this login or address.
        """
        peer = peer or Peer()
        with self.house.lock:
            self.attempts.check_may_try(login, peer.host, self.house.clock.now())
        try:
            member, seed = members.unlock(self.house, login, password)
            if need_code:
                _check_enrolled(member, peer)
                self._use_code(member, check_code(self.house, member, seed, code))
        except AccessDenied:
            self._failed(login, peer)
            raise
        with self.house.lock:
            self.attempts.succeeded(login, peer.host)
            return self._open(member, seed, peer, progress)

    def _use_code(self, member: Member, counter: int | None) -> None:
        """A code opens once (RFC 6238 section 5.2)."""
        if counter is None:
            return
        with self.house.lock:
            if counter <= self._codes.get(member.id, 0):
                raise AccessDenied(
                    N_("this code has been used already"), hint=N_("wait for the next one")
                )
            self._codes[member.id] = counter

    def _failed(self, login: str, peer: Peer) -> None:
        with self.house.lock:
            now = self.house.clock.now()
            alarming = self.attempts.failed(login, peer.host, now)
            known = self.house.store.find(Member, login=login)
            details = {
                "member": known[0].id if known else None,
                "peer": peer.address,
                "alarming": alarming,
            }
            self.house.store.record(Entry(EventKind.LOGIN_FAILED, now, "web", details))

    def _open(self, member: Member, seed: Seed, peer: Peer, progress: Progress | None) -> Session:
        house, now = self.house, self.house.clock.now()
        ring = members.keyring_of(house, member, seed)
        remembered = Remembered(house.lock)
        session = Session(
            new_token(), new_id(), member, ring, peer, begin(now), remembered, seed=seed
        )
        for name in sorted(ring.stopped):
            self._stop(name)
        members.renew_stale(house, member, ring)
        details = {
            "session": session.id,
            "circles": sorted(ring.circles),
            "peer": peer.address,
            "local": peer.local,
            "tls": peer.tls,
        }
        house.store.record(Entry(EventKind.OPENED, now, member.id, details))
        self.sessions[session.token] = session
        for name in sorted(ring.circles):
            self._open_circle(name, ring)
        if session.identity is not None:
            share_with_new_readers(house, ring, member.id)
        self.settle(session)
        return session

    def _stop(self, name: str) -> None:
        """A circle whose stored public key is not its seed's receives nothing any more."""
        circle = circles.current(self.house.store).get(name)
        if circle is None or circle.stopped:
            return
        entry = Entry(EventKind.CIRCLE_STOPPED, self.house.clock.now(), "web", {"circle": name})
        with self.house.store.change(entry) as tx:
            tx.put(replace(circle, stopped=True))

    def _open_circle(self, name: str, ring: Keyring) -> None:
        if name in self.tables:
            self.tables[name].adopt(ring)
            return
        table = CircleTable(self.house.store, ring.only(name), name, self.house.tables())
        self.tables[name] = table
        table.fill()

    def session(self, token: str, active: bool = True) -> Session:
        """The open session of that token. `VaultLocked` when there is none (any more)."""
        with self.house.lock:
            self.expire()
            found = self.sessions.get(token)
            if found is None:
                raise VaultLocked(
                    N_("the session is over: the keys were dropped"),
                    hint=N_("sign in again"),
                )
            now = self.house.clock.now()
            found.lifetime = seen(found.lifetime, now, polling=not active)
            return found

    def expire(self) -> list[Session]:
        """Close the sessions that were idle or open for too long."""
        now = self.house.clock.now()
        over = [(s, end_of(s.lifetime, now)) for s in self.sessions.values()]
        ended = [(session, end) for session, end in over if end is not None]
        for session, end in ended:
            self.lock(session, end.value)
        return [session for session, _ in ended]

    def lock(self, session: Session, reason: str = "asked") -> None:
        """Drop a session's keys, and the rows of circles nobody holds any more."""
        with self.house.lock:
            if self.sessions.pop(session.token, None) is None:
                return
            session.ring.close()
            session.remembered.close()
            session.seed = None
            held = {name for other in self.sessions.values() for name in other.ring.circles}
            for name in [name for name in self.tables if name not in held]:
                self.tables.pop(name).close()
                self._filings.pop(name, None)
                for told in self.on_close:
                    told(name)
            details = {"session": session.id, "reason": reason}
            entry = Entry(EventKind.LOCKED, self.house.clock.now(), session.member.id, details)
            self.house.store.record(entry)
            if not self.sessions:
                self.house.store.copy_keys()

    def lock_all(self, reason: str = "asked") -> int:
        """Lock the practice; how many sessions there were."""
        with self.house.lock:
            open_now = list(self.sessions.values())
            for session in open_now:
                self.lock(session, reason)
            return len(open_now)

    def lock_member(self, member_id: str) -> None:
        """A removed member's sessions end at once."""
        with self.house.lock:
            for session in [s for s in self.sessions.values() if s.member.id == member_id]:
                self.lock(session, "removed")

    def widen(self, session: Session) -> bool:
        """Follow the keys that were wrapped to a member since he signed in: he was admitted.
        Whether there were any."""
        with self.house.lock:
            before = session.ring.circles
            session.ring.open_circles(self.house.store)
            new = sorted(session.ring.circles - before)
            if not new:
                return False
            now = self.house.clock.now()
            details = {"session": session.id, "circles": new, "peer": session.peer.address}
            self.house.store.record(Entry(EventKind.OPENED, now, session.member.id, details))
            for name in new:
                self._open_circle(name, session.ring)
            self.settle(session)
            return True

    # What came since

    def refresh(self) -> bool:
        """Look for what other processes brought; whether there was anything. Costs next to
        nothing when there was not: it is asked before everything that is read."""
        with self.house.lock:
            version = self.house.store.data_version()
            if version == self._version:
                return False
            self._version = version
            news = self._news.look()
            if news.keys:
                for session in self.sessions.values():
                    session.remembered.drop()
            if not (news.rows or any(table.behind() for table in self.tables.values())):
                return False
            for table in self.tables.values():
                table.fill()
            for session in list(self.sessions.values()):
                self.settle(session)
            return True

    def settle(self, session: Session) -> None:
        """File what needs no person, move the keys of what was filed, mark what came twice: each
        with the keys this session holds, and bring its tables up to date."""
        with self.house.lock:
            actor = session.member.id
            if session.holds(circles.SECRETARIAT):
                self.filing(circles.SECRETARIAT).file_waiting(actor)
            for circle in session.care:
                table = self.tables[circle]
                move_clinical(self.house, table.ring, circle, actor)
                table.fill()
                repeats.mark(self.house, table, actor)
            for circle in session.ring.circles:
                self.tables[circle].fill()

    def filing(self, circle: str) -> Filing:
        """The patients that an open identity circle knows."""
        if circle not in self._filings:
            self._filings[circle] = Filing(self.house, self.tables[circle].ring)
        return self._filings[circle]

    def locked(self) -> bool:
        return not self.sessions

    def waiting(self, member: Member) -> bool:
        return member.state is MemberState.PENDING
