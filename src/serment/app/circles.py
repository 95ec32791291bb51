"""Circles as they stand now: the newest epoch of each, and how a new one is made."""

from __future__ import annotations

from serment.app import wrapping
from serment.app.keyring import Keyring
from serment.core.crypto.keys import new_seed, public_key
from serment.core.crypto.secret import Seed
from serment.core.records.vault import Circle, CircleKind, Member, MemberState, Wrap, WrapKind
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
    subject = f"circle:{circle.id}@{circle.epoch}"
    wraps = [
        wrapping.to_public(
            vault, WrapKind.CIRCLE_SEED, subject, seed, f"member:{m.id}", 0, m.public_key
        )
        for m in members
    ]
    wraps.append(wrapping.to_circle(vault, WrapKind.CIRCLE_SEED, subject, seed, recovery_circle))
    return wraps


def make(
    vault: str, tx: Transaction, clock: Clock, name: str, members: list[Member], epoch: int = 1
) -> tuple[Circle, Seed]:
    """Put a new circle (or a new epoch of one) and its wraps; the caller journals it."""
    seed = new_seed()
    circle = Circle(name, kind_of(name), epoch, public_key(seed), clock.now())
    tx.add(circle)
    for wrap in seed_wraps(vault, circle, seed, members, recovery(tx)):
        tx.put(wrap)
    return circle, seed


def holders(store: Store | Transaction, circle: Circle) -> list[Member]:
    """Active members to whom the circle's present seed is wrapped."""
    subject = f"circle:{circle.id}@{circle.epoch}"
    wraps = store.find(Wrap, kind=WrapKind.CIRCLE_SEED, subject=subject)
    ids = {w.recipient.removeprefix("member:") for w in wraps}
    return [m for m in store.find(Member) if m.id in ids and m.state is not MemberState.REMOVED]


def renew(vault: str, tx: Transaction, clock: Clock, old: Circle, keyring: Keyring) -> Seed:
    """A new epoch for those who remain; the old seed is wrapped under the new one, so that what
    was sealed before stays readable to them."""
    members = holders(tx, old)
    circle, seed = make(vault, tx, clock, old.id, members, old.epoch + 1)
    keyring.hold(f"circle:{old.id}", circle.epoch, seed)
    tx.put(
        wrapping.to_circle(
            vault,
            WrapKind.CIRCLE_SEED,
            f"circle:{old.id}@{old.epoch}",
            keyring.seed(f"circle:{old.id}", old.epoch),
            circle,
            keyring,
        )
    )
    return seed
