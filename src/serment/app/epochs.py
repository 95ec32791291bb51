"""How a circle comes to be, and how its next epoch follows when a member has left."""

from __future__ import annotations

from serment.app import trust
from serment.app.circles import holders, kind_of, recovery, seed_wrapper, seed_wraps
from serment.app.keyring import Keyring
from serment.app.wrapping import put_all
from serment.core.crypto.keys import new_seed, public_key
from serment.core.crypto.secret import Seed
from serment.core.records import names
from serment.core.records.vault import Circle, Member, Snapshot
from serment.ports import Clock, Transaction


def make(
    vault: str, tx: Transaction, clock: Clock, name: str, members: list[Member], epoch: int = 1
) -> tuple[Circle, Seed]:
    """Put a new circle (or a new epoch of one) and its wraps; the caller journals it."""
    seed = new_seed()
    circle = Circle(name, kind_of(name), epoch, public_key(seed), clock.now())
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
