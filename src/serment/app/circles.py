"""Circles as they stand now: the newest epoch of each, and how a new one is made."""

from __future__ import annotations

from serment.app.wrapping import Wrapper
from serment.core.access.roles import kind_of_circle
from serment.core.crypto.secret import Seed
from serment.core.records import names
from serment.core.records.vault import Circle, CircleKind, Member, MemberState, Wrap, WrapKind
from serment.errors import N_, IntegrityError
from serment.ports import Store, Transaction

RECOVERY = names.RECOVERY
SECRETARIAT = CircleKind.SECRETARIAT.value
DPO = CircleKind.DPO.value


def current(store: Store | Transaction) -> dict[str, Circle]:
    """The newest epoch of every circle, recovery included, by name."""
    newest: dict[str, Circle] = {}
    for circle in store.find(Circle):
        if circle.id not in newest or circle.epoch > newest[circle.id].epoch:
            newest[circle.id] = circle
    return newest


def is_care(circle: Circle) -> bool:
    return circle.kind is CircleKind.CARE


def is_care_name(name: str) -> bool:
    return kind_of_circle(name) is CircleKind.CARE


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


def seed_wrapper(vault: str, circle: Circle, seed: Seed) -> Wrapper:
    subject = names.circle_seed(circle.id, circle.epoch)
    return Wrapper(vault, WrapKind.CIRCLE_SEED, subject, seed)


def holders(store: Store | Transaction, circle: Circle) -> list[Member]:
    """Active members to whom the circle's present seed is wrapped."""
    subject = names.circle_seed(circle.id, circle.epoch)
    wraps = store.find(Wrap, kind=WrapKind.CIRCLE_SEED, subject=subject)
    ids = {names.parse_name(w.recipient).id for w in wraps}
    return [m for m in store.find(Member) if m.id in ids and m.state is not MemberState.REMOVED]
