"""How a circle comes to be, and how its next epoch follows when a member has left."""

from __future__ import annotations

from dataclasses import replace

from serment.app import circles, trust
from serment.app.circles import holders, recovery, seed_wrapper, seed_wraps
from serment.app.house import House
from serment.app.keyring import Keyring
from serment.app.wrapping import put_all
from serment.core.access.roles import kind_of_circle
from serment.core.crypto.keys import new_seed, public_key
from serment.core.crypto.secret import Seed
from serment.core.journal.entries import Entry, EventKind
from serment.core.records import names
from serment.core.records.vault import Circle, Member, Snapshot
from serment.errors import N_, AccessDenied, NotFound
from serment.ports import Clock, Transaction


def make(
    vault: str, tx: Transaction, clock: Clock, name: str, members: list[Member], epoch: int = 1
) -> tuple[Circle, Seed]:
    """Put a new circle (or a new epoch of one) and its wraps; the caller journals it."""
    seed = new_seed()
    circle = Circle(name, kind_of_circle(name), epoch, public_key(seed), clock.now())
    tx.add(circle)
    put_all(tx, seed_wraps(vault, circle, seed, members, recovery(tx)))
    for member in members:
        trust.vouch(vault, tx, circle, seed, trust.member_claim(member))
    return circle, seed


def renew(vault: str, tx: Transaction, clock: Clock, old: Circle, keyring: Keyring) -> Seed:
    """A new epoch for those who remain; the old seed is wrapped under the new one, so that what
    was sealed before stays readable to them. What the old seed's snapshot holds goes."""
    old_seed = keyring.seed(names.circle(old.id), old.epoch)
    members = [
        member
        for member in holders(tx, old)
        if trust.is_vouched(vault, tx, old, old_seed, trust.member_claim(member))
    ]
    circle, seed = make(vault, tx, clock, old.id, members, old.epoch + 1)
    keyring.hold(names.circle(old.id), circle.epoch, seed)
    trust.vouch(vault, tx, old, old_seed, trust.circle_claim(circle))
    wrapper = seed_wrapper(vault, old, old_seed)
    tx.put(wrapper.to_circle(circle, keyring))
    for snapshot in tx.find(Snapshot, circle=old.id):
        tx.delete(snapshot)
    return seed


def accept(house: House, acting: Member, keyring: Keyring, name: str) -> Circle:
    """Somebody of the secretariat has compared the words of a circle that reads identities (a new
    DPO's, or the next epoch of the DPOs') and vouches for it: it receives again.

    Raises:
        AccessDenied: the session does not hold the secretariat.
        NotFound: there is no such circle.
    """
    with house.store.change(
        Entry(EventKind.CIRCLE_ACCEPTED, house.clock.now(), acting.id, {"circle": name})
    ) as tx:
        current = circles.current(tx)
        secretariat = current.get(circles.SECRETARIAT)
        if name != circles.DPO or name not in current:
            raise NotFound(
                N_("there is no circle {circle} to accept"),
                hint=N_("only the circle of the DPO is accepted so"),
                circle=name,
            )
        if secretariat is None or not keyring.holds_epoch(
            names.circle(secretariat.id), secretariat.epoch
        ):
            raise AccessDenied(
                N_("no key: only somebody of the secretariat can accept a circle"),
                hint=N_("ask a secretary or a doctor"),
            )
        seed = keyring.seed(names.circle(secretariat.id), secretariat.epoch)
        trust.vouch(house.vault, tx, secretariat, seed, trust.circle_claim(current[name]))
        accepted = replace(current[name], stopped=False)
        tx.put(accepted)
    return accepted


def renew_stale(house: House, acting: Member, ring: Keyring) -> list[str]:
    """After a removal: the first remaining member's session makes the new epochs."""
    renewed = []
    for circle in circles.current(house.store).values():
        if circle.stale and not circle.stopped and ring.holds(circle.id):
            details = {"circle": circle.id}
            entry = Entry(EventKind.CIRCLE_MADE, house.clock.now(), acting.id, details)
            with house.store.change(entry) as tx:
                renew(house.vault, tx, house.clock, circle, ring)
                tx.put(replace(circle, stale=False))
            renewed.append(circle.id)
    return renewed
