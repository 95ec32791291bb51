"""Opens and locks the practice: who is signed in, which circles are open, what their tables hold.

A circle is open while one session holds its seed; the last to close drops the seed and its rows,
once a snapshot of them is sealed. Idle time, absolute time and what counts as activity are decided
in `core.access.sessions`; who may come in, by `signing_in`. The house's lock is held for short
steps only: opening a large circle stops nobody else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial

from serment.app import circles, epochs
from serment.app.house import House
from serment.app.keyring import Keyring
from serment.app.protect import repeats
from serment.app.protect.believing import Beliefs, look
from serment.app.protect.entitled import follow
from serment.app.protect.filing import Filing
from serment.app.protect.moving import move_clinical
from serment.app.protect.remembered import Remembered
from serment.app.protect.sessions import Peer, Session, session_over
from serment.app.protect.signing_in import Door
from serment.app.protect.tables import CircleTable
from serment.app.protect.unlocking import keyring_of
from serment.app.protect.upkeep import Upkeep
from serment.app.steps import Steps
from serment.core.access.sessions import begin, end_of, seen
from serment.core.crypto.entropy import new_id, new_token
from serment.core.crypto.keys import is_pair
from serment.core.crypto.secret import Seed
from serment.core.journal.caller import within
from serment.core.journal.entries import Entry, EventKind
from serment.core.journal.touched import Touched
from serment.core.masked import Masked
from serment.core.records.names import NameKind
from serment.core.records.names import member as member_name
from serment.core.records.vault import Member, MemberState
from serment.errors import N_, FormatError, IntegrityError, SermentError, VaultLocked
from serment.ports import Progress, SearchTable

__all__ = ["Peer", "Practice", "Session"]


def _each(works: Iterable[Callable[[], object]]) -> None:
    """Do each, whatever became of the one before; then raise the first error there was."""
    failures = []
    for work in works:
        try:
            work()
        except SermentError as error:
            failures.append(error)
    if failures:
        raise failures[0]


class Practice:
    """The open practice; one for each process that holds keys, called from many threads."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.sessions: dict[str, Session] = {}
        self.tables: dict[str, CircleTable] = {}
        self.on_close: list[Callable[[str], None]] = []  # told the name of a circle that closed
        self._version: int | None = None
        self._beliefs = Beliefs(house, self.sessions, self.tables)
        self._door, self._upkeep = Door(house), Upkeep(house)

    # Coming in

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
            IntegrityError, FormatError: what the password opens is damaged; journalled, for his
                seed may have been in the memory.
        """
        peer = peer or Peer()
        member, seed, proven = self._door.pass_through(login, password, code, peer, need_code)
        return self._open(member, seed, proven, peer, Steps(progress))

    def _open(self, member: Member, seed: Seed, proven: bool, peer: Peer, steps: Steps) -> Session:
        house, now = self.house, self.house.clock.now()
        ring, memory = Keyring(house.vault, member_name(member.id), seed), Remembered(house.lock)
        session = Session(
            new_token(), new_id(), member, ring, peer, begin(now), memory, proven, seed=seed
        )
        with within(session.id):
            self._enter(session, seed, steps)
        return session

    def _enter(self, session: Session, seed: Seed, steps: Steps) -> None:
        house, member, ring = self.house, session.member, session.ring
        with house.lock:
            try:
                ring.open_circles(house.store)
            except (IntegrityError, FormatError):
                self._door.record_failure(member.login, session.peer)
                raise
            finally:  # a wrap that is no wrap keeps him out, but hides nothing
                look(house, member, seed, ring)
            if epochs.renew_stale(house, member, ring):
                self._beliefs.look_again()
        try:
            self._admit(session, ring, ring.circles, steps)
            self._settle(session, steps)
            self._follow(session)
        except BaseException:
            self._close(session, "could not be opened")
            raise

    def _admit(self, session: Session, ring: Keyring, new: frozenset[str], steps: Steps) -> None:
        """Journal that the session holds the `new` circles, and open those that are not open.

        Tables are filled before anybody sees them, without the lock; somebody else may open or
        close a circle meanwhile."""
        self._journal_opened(session, new)
        filled: dict[str, CircleTable] = {}
        try:
            while not self._take_in(session, ring, filled):
                for name in sorted(ring.circles - self.tables.keys() - filled.keys()):
                    filled[name] = CircleTable(self.house, ring.only(name), name)
                    filled[name].fill(steps)
        finally:
            for name, table in filled.items():
                if self.tables.get(name) is not table:
                    table.close()

    def _take_in(self, session: Session, ring: Keyring, filled: dict[str, CircleTable]) -> bool:
        """Make the session one of those that are open, once every circle it holds has a table.

        Raises:
            VaultLocked: it was closed, or the member removed or rescued, meanwhile.
        """
        with self.house.lock:
            self._check_stays(session)
            if not ring.circles <= self.tables.keys() | filled.keys():
                return False
            for name in ring.circles:
                self.tables.setdefault(name, filled.get(name) or self.tables[name])
                self.tables[name].on_rekeyed = self._rekey
            session.ring = ring
            self.sessions[session.token] = session
            self._beliefs.share()
            return True

    def _check_stays(self, session: Session) -> None:
        now, seed = self.house.store.get(Member, session.member.id), session.seed
        if now is None or now.state is MemberState.REMOVED:
            raise session_over()
        if seed is None or not is_pair(seed, now.public_key):
            raise session_over()

    def _journal_opened(self, session: Session, names: frozenset[str]) -> None:
        peer = session.peer
        details = {
            "session": session.id,
            "circles": sorted(names),
            "peer": peer.address,
            "local": peer.local,
            "tls": peer.tls,
        }
        now = self.house.clock.now()
        self.house.store.record(Entry(EventKind.OPENED, now, session.member.id, details))

    def widen(self, session: Session) -> bool:
        """Follow the keys that were wrapped to a member since he signed in: he was admitted.
        Whether there were any."""
        with self.house.lock:
            if session.seed is None:
                return False
            ring = keyring_of(self.house, session.member, session.seed)
            if ring.circles <= session.ring.circles:
                return False
            try:
                look(self.house, session.member, session.seed, ring)
            except IntegrityError:
                return False  # nothing is received any more, and every page says so
        self._admit(session, ring, ring.circles - session.ring.circles, Steps())
        self._settle(session, Steps())
        return True

    # Staying

    def prove(self, session: Session, code: str) -> None:
        """Ask for the present code again, before something that only its owner may do.

        Raises:
            AccessDenied: the member has a second factor and this is not its code.
            Busy: too many attempts for this login or address.
        """
        if session.seed is not None:
            self._door.prove(session.member, session.seed, code, session.peer)

    def bear(self, session: Session) -> str:
        """The session's bearer token, for DICOMweb: made when first asked for, and no cookie."""
        session.bearer = session.bearer or new_token()
        return session.bearer

    def of_bearer(self, bearer: str) -> Session:
        """The open session of that bearer token, which this does not keep open. `VaultLocked` when
        there is none."""
        known = {session.bearer: session.token for session in list(self.sessions.values())}
        return self.session(known.get(bearer, ""), active=False)

    def session(self, token: str, active: bool = True) -> Session:
        """The open session of that token. `VaultLocked` when there is none (any more)."""
        self.expire()
        with self.house.lock:
            found = self.sessions.get(token)
            if found is None:
                raise session_over()
            now = self.house.clock.now()
            found.lifetime = seen(found.lifetime, now, polling=not active)
            return found

    def table(self, circle: str) -> SearchTable:
        """The rows of an open circle. `VaultLocked` when nobody holds it any more."""
        return self._opened(circle).table

    def _opened(self, circle: str) -> CircleTable:
        found = self.tables.get(circle)
        if found is None:
            raise VaultLocked(N_("this circle has been closed"), hint=N_("open the practice again"))
        return found

    def filing(self, circle: str) -> Filing:
        """The filing with what an open identity circle knows."""
        return Filing(self.house, self._opened(circle))

    def locked(self) -> bool:
        return not self.sessions

    # Going out

    def expire(self) -> list[Session]:
        """Close the sessions that were idle or open for too long."""
        now = self.house.clock.now()
        over = [(s, end_of(s.lifetime, now)) for s in list(self.sessions.values())]
        ended = [(session, end) for session, end in over if end is not None]
        _each(partial(self.lock, session, end.value) for session, end in ended)
        return [session for session, _ in ended]

    def lock(self, session: Session, reason: str = "asked") -> None:
        """Drop a session's keys, and the rows of circles nobody holds any more."""
        if self.sessions.get(session.token) is session:
            self._close(session, reason)

    def _close(self, session: Session, reason: str) -> None:
        with self.house.lock:
            self.sessions.pop(session.token, None)
            session.close()
            held = {name for other in self.sessions.values() for name in other.ring.circles}
            closed = [self.tables.pop(name) for name in list(self.tables) if name not in held]
            for table in closed:
                for told in self.on_close:
                    told(table.circle)
            self._beliefs.share()
        if self.locked():
            self._upkeep.copy_soon()
        putting = [partial(self._upkeep.put_away, table) for table in closed]
        _each([*putting, partial(self._journal_locked, session, reason)])

    def _journal_locked(self, session: Session, reason: str) -> None:
        details = {"session": session.id, "reason": reason}
        entry = Entry(EventKind.LOCKED, self.house.clock.now(), session.member.id, details)
        self.house.store.record(entry)

    def lock_all(self, reason: str = "asked") -> int:
        """Lock the practice; how many sessions there were. On a full disk, too, no key stays."""
        open_now = list(self.sessions.values())
        _each(partial(self.lock, session, reason) for session in open_now)
        return len(open_now)

    def end_member(
        self, member_id: str, reason: str = "removed", but: Session | None = None
    ) -> None:
        """What opened for a member opens no more: his sessions end at once (all `but` one), then
        the second copy forgets the wraps that were deleted; on a full disk it does so later."""
        self._upkeep.copy_soon()
        theirs = [s for s in list(self.sessions.values()) if s.member.id == member_id]
        _each(partial(self.lock, session, reason) for session in theirs if session is not but)
        self._upkeep.copy_keys()

    # What came since

    def refresh(self) -> bool:
        """Look for what other processes brought; whether there was anything. Costs next to
        nothing when there was not: it is asked before everything that is read."""
        with self.house.lock:
            version = self.house.store.data_version()
            if version == self._version:
                return False
            self._beliefs.look_again()
            changed = [table.fill() for table in self.tables.values()]
            self._version = version
            open_now = list(self.sessions.values()) if any(changed) else []
        for session in open_now:
            with suppress(VaultLocked):  # it was closed meanwhile, and that is no one else's matter
                self.settle(session)
        return any(changed)

    def _rekey(self, touched: Touched) -> None:
        """Keys were deleted, moved or made: sessions find their way to them anew."""
        for session in self.sessions.values():
            session.ring.forget(touched.keys)
            session.remembered.drop()
            if touched.named(NameKind.CIRCLE):
                session.ring.open_circles(self.house.store, session.ring.circles, set())

    def settle(self, session: Session) -> None:
        """File what needs no person, move the keys of what was filed, mark what came twice: each
        with the keys this session holds, and bring its tables up to date. While a circle it holds
        is stopped, no key is wrapped to anybody."""
        with within(session.id):
            self._settle(session, Steps())

    def _settle(self, session: Session, steps: Steps) -> None:
        actor, tables = session.member.id, self._tables_of(session)
        if self._is_believed(tables):
            if session.holds(circles.SECRETARIAT):
                self.filing(circles.SECRETARIAT).file_waiting(actor, steps)
            for table in tables:
                if table.care:
                    with self.house.lock:
                        table.fill()
                    move_clinical(self.house, table, actor, steps)
                    repeats.mark(self.house, table, actor)
        with self.house.lock:
            for table in tables:
                table.fill()

    def _tables_of(self, session: Session) -> list[CircleTable]:
        return [table for table in list(self.tables.values()) if session.holds(table.circle)]

    def _is_believed(self, tables: list[CircleTable]) -> bool:
        """Each table by its own circle: of others it believes what whoever shared it last can tell."""
        now = circles.current(self.house.store)
        return all(
            name in now and table.ring.belief.has(now[name])
            for table in tables
            for name in (circles.RECOVERY, table.circle)
        )

    def tidy(self) -> None:
        """Chores that nobody should wait for."""
        with self.house.lock:
            self._beliefs.look_again()
        for session in list(self.sessions.values()):
            with within(session.id):
                self._follow(session)
        self._upkeep.tidy(list(self.tables.values()))

    def _follow(self, session: Session) -> None:
        """The next keys that go to those entitled since, of the circles this session holds."""
        behind = [table for table in self._tables_of(session) if table.outdated != []]
        if behind and self._is_believed(self._tables_of(session)):
            for table in behind:
                with self.house.lock:
                    follow(self.house, table, session.member.id)
