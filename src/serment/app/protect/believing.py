"""Acts on what a session believes: stops the circles it must not believe, starts them again, pins.

What is believed is decided in `app.trust`. All of it happens under the house's lock, with the seeds
as they are then: a new epoch that another session is making is not taken for a forged one.
"""

from __future__ import annotations

from dataclasses import replace

from serment.app import circles, trust
from serment.app.belief import Belief
from serment.app.house import House
from serment.app.keyring import Keyring
from serment.core.crypto.secret import Seed
from serment.core.journal.entries import Entry, EventKind
from serment.core.records.vault import Member
from serment.errors import IntegrityError


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
    with house.store.change(entry) as tx:
        tx.put(replace(circle, stopped=stopped))


def _pin(house: House, member: Member, seed: Seed, found: trust.Trust) -> None:
    known = {name: pin[0] for name, pin in found.pins.items() if name != trust.APPOINTING}
    entry = Entry(EventKind.KEYS_PINNED, house.clock.now(), member.id, {"circles": known})
    with house.store.change(entry) as tx:
        trust.keep(house.vault, tx, member, seed, found)
