"""Acts on what a session believes: stops the circles it must not believe, starts them again, pins.

What is believed is decided in `app.trust`. All of it happens under the house's lock, with the seeds
as they are then: a new epoch that another session is making is not taken for a forged one.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from serment.app import circles, trust
from serment.app.belief import Belief
from serment.app.house import House
from serment.app.keyring import Keyring
from serment.app.protect.sessions import Session
from serment.app.protect.tables import CircleTable
from serment.core.crypto.secret import Seed
from serment.core.journal.caller import within
from serment.core.journal.entries import Entry, EventKind
from serment.core.records.vault import Circle, Member
from serment.errors import IntegrityError, Unavailable


class Beliefs:
    """Of the sessions of an open practice, and of the tables they share; used under the house's
    lock."""

    def __init__(
        self, house: House, sessions: Mapping[str, Session], tables: Mapping[str, CircleTable]
    ) -> None:
        self._house, self._sessions, self._tables = house, sessions, tables
        self._looked_at: dict[str, Circle] = {}  # circles, when every session had looked at them

    def look_again(self) -> None:
        """Where public keys are others than those that were looked at, each session holds them
        against its own keys. What a full disk hinders is done at the next look."""
        store = self._house.store
        if circles.current(store) == self._looked_at:
            return
        looked = [self._look(session) for session in list(self._sessions.values())]
        self.share()
        if all(looked):
            self._looked_at = circles.current(store)

    def _look(self, session: Session) -> bool:
        """Whether it could be done; until then the session believes nothing."""
        if session.seed is None:
            return True
        session.ring.open_circles(self._house.store, session.ring.circles, set())
        try:
            with within(session.id), suppress(IntegrityError):  # then nothing is received either
                look(self._house, session.member, session.seed, session.ring)
        except Unavailable:
            return False
        return True

    def share(self) -> None:
        """Tables work with the seeds, and believe what the sessions do that hold their circles;
        where one of these believes nothing, they do not either."""
        for name, table in self._tables.items():
            rings = [session.ring for session in self._sessions.values() if session.holds(name)]
            for ring in rings:
                table.ring.adopt(ring, name)
            if not all(ring.belief for ring in rings):
                table.ring.belief = Belief()


def look(house: House, member: Member, seed: Seed, ring: Keyring) -> None:
    """Let the keyring believe what holds now; call it under the house's lock.

    Raises:
        IntegrityError: nothing of this practice can be believed, see `trust.examine`. Then nothing
            is received either: it would be sealed to a recovery key nobody vouches for.
    """
    ring.belief = Belief()
    try:
        found = trust.examine(house.vault, house.store, member, seed, ring)
    except IntegrityError:
        _stop(house, member, circles.RECOVERY)
        raise
    for name in sorted(found.stopped):
        _stop(house, member, name)
    if found.changed:
        _pin(house, member, seed, found)
    ring.belief = found.belief
    for name in sorted(found.belief.circles):
        if _may_resume(ring, name):
            _set(house, member, name, EventKind.CIRCLE_RESUMED, stopped=False)


def _may_resume(ring: Keyring, name: str) -> bool:
    """Whether this session's word is enough. The DPO's circle was stopped by the secretariat, which
    has not seen its next key: its own members cannot answer for that."""
    if name == circles.DPO:
        return ring.holds(circles.SECRETARIAT)
    return name == circles.RECOVERY or ring.holds(name)


def _stop(house: House, member: Member, name: str) -> None:
    """A circle that is not vouched for receives nothing any more."""
    _set(house, member, name, EventKind.CIRCLE_STOPPED, stopped=True)


def _set(house: House, member: Member, name: str, kind: EventKind, *, stopped: bool) -> None:
    circle = circles.current(house.store).get(name)
    if circle is None or circle.stopped is stopped:
        return
    entry = Entry(kind, house.clock.now(), member.id, {"circle": name})
    with house.store.change(entry) as tx:  # a removal may have marked it as stale meanwhile
        tx.put(replace(circles.current(tx)[name], stopped=stopped))


def _pin(house: House, member: Member, seed: Seed, found: trust.Trust) -> None:
    known = {name: pin[0] for name, pin in found.pins.items() if name != trust.APPOINTING}
    entry = Entry(EventKind.KEYS_PINNED, house.clock.now(), member.id, {"circles": known})
    with house.store.change(entry) as tx:
        trust.keep(house.vault, tx, member, seed, found)
