"""Circles as they stand now: the newest epoch of each, and how a new one is made."""

from __future__ import annotations

from serment.app.keyring import Keyring
from serment.app.wrapping import Wrapper, put_all
from serment.core.crypto.keys import new_seed, public_key
from serment.core.crypto.secret import Seed
from serment.core.records import names
from serment.core.records.vault import (
    Circle,
    CircleKind,
    Member,
    MemberState,
    Snapshot,
    Wrap,
    WrapKind,
)
from serment.errors import N_, IntegrityError
from serment.ports import Clock, Store, Transaction

RECOVERY = "recovery"
SECRETARIAT = "secretariat"
DPO = "dpo"


def current(store: Store | Transaction) -> dict[str, Circle]:
    """The newest epoch of every circle, recovery included, by name."""
    newest: dict[str, Circle] = {}
    for circle in store.find(Circle):
        if circle.id not in newest or circle.epoch > newest[circle.id].epoch:
            newest[circle.id] = circle
    return newest


def kind_of(name: str) -> CircleKind:
    """Only care circles have names of their own."""
    return CircleKind(name) if name in {RECOVERY, SECRETARIAT, DPO} else CircleKind.CARE


def is_care(circle: Circle) -> bool:
    return circle.kind is CircleKind.CARE


def is_care_name(name: str) -> bool:
    return kind_of(name) is CircleKind.CARE


def recovery(store: Store | Transaction) -> Circle:
    found = current(store).get(RECOVERY)
    if found is None:
        raise IntegrityError(
            N_("the vault has no recovery key"),
            hint=N_("restore the vault with `serment doctor` or from a backup"),
        )
    return found


def identity_readers(circles: dict[str, Circle]) -> list[Circle]:
    """Who is entitled to names and birth dates: secretariat, DPO, recovery; those that exist."""
    return [circles[name] for name in (SECRETARIAT, DPO, RECOVERY) if name in circles]


def seed_wraps(
    vault: str, circle: Circle, seed: Seed, members: list[Member], recovery_circle: Circle
) -> list[Wrap]:
    """The circle's seed for each member's public key and for recovery."""
    wrapper = seed_wrapper(vault, circle, seed)
    return [*map(wrapper.to_member, members), wrapper.to_circle(recovery_circle)]


def seed_wrapper(vault: str, circle: Circle, seed: Seed) -> Wrapper:
    subject = names.circle_seed(circle.id, circle.epoch)
    return Wrapper(vault, WrapKind.CIRCLE_SEED, subject, seed)


def make(
    vault: str, tx: Transaction, clock: Clock, name: str, members: list[Member], epoch: int = 1
) -> tuple[Circle, Seed]:
    """Put a new circle (or a new epoch of one) and its wraps; the caller journals it."""
    seed = new_seed()
    circle = Circle(name, kind_of(name), epoch, public_key(seed), clock.now())
    tx.add(circle)
    put_all(tx, seed_wraps(vault, circle, seed, members, recovery(tx)))
    return circle, seed


def holders(store: Store | Transaction, circle: Circle) -> list[Member]:
    """Active members to whom the circle's present seed is wrapped."""
    subject = names.circle_seed(circle.id, circle.epoch)
    wraps = store.find(Wrap, kind=WrapKind.CIRCLE_SEED, subject=subject)
    ids = {names.parse_name(w.recipient).id for w in wraps}
    return [m for m in store.find(Member) if m.id in ids and m.state is not MemberState.REMOVED]


def renew(vault: str, tx: Transaction, clock: Clock, old: Circle, keyring: Keyring) -> Seed:
    """A new epoch for those who remain; the old seed is wrapped under the new one, so that what
    was sealed before stays readable to them. What the old seed's snapshot holds goes."""
    members = holders(tx, old)
    circle, seed = make(vault, tx, clock, old.id, members, old.epoch + 1)
    keyring.hold(names.circle(old.id), circle.epoch, seed)
    wrapper = seed_wrapper(vault, old, keyring.seed(names.circle(old.id), old.epoch))
    tx.put(wrapper.to_circle(circle, keyring))
    for snapshot in tx.find(Snapshot, circle=old.id):
        tx.delete(snapshot)
    return seed
