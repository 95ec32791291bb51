"""Makes wraps: to a public key where the recipient's secret is not held, under a key where it is.

Who is entitled to one is decided by the caller; a session wraps to no circle but those it believes.
Every wrap is bound to what it holds and for whom (`core.records.contexts`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from serment.app.keyring import WRAP, Keyring
from serment.core.crypto.keys import subkey
from serment.core.crypto.secret import Key, Seed
from serment.core.crypto.wraps import wrap_to_public, wrap_under_key
from serment.core.records import contexts, names
from serment.core.records.vault import Circle, Member, Row, Wrap, WrapKind, WrapMethod
from serment.ports import Transaction


@dataclass(frozen=True, slots=True)
class Wrapper:
    """Wraps one secret, whose name in the vault is `subject`, for anybody."""

    vault: str
    kind: WrapKind
    subject: str
    secret: Seed | Key

    def to_public(self, recipient: str, epoch: int, public: bytes) -> Wrap:
        """HPKE to somebody's public key: 0.1 ms, 1.2 kB."""
        context = contexts.wrap(self.vault, self.kind, self.subject, recipient, epoch)
        blob = wrap_to_public(self.secret, public, context)
        return Wrap(self.kind, self.subject, recipient, epoch, WrapMethod.HPKE, blob)

    def to_member(self, member: Member) -> Wrap:
        return self.to_public(names.member(member.id), 0, member.public_key)

    def to_circle(self, circle: Circle, ring: Keyring | None = None) -> Wrap:
        """Under the circle's own key when the keyring holds it (3 us, 60 bytes), else HPKE.

        Raises:
            IntegrityError: the session of that keyring does not believe the circle.
        """
        recipient, epoch = names.circle(circle.id), circle.epoch
        if ring is not None:
            ring.belief.check(circle)
        if ring is None or not ring.holds_epoch(recipient, epoch):
            return self.to_public(recipient, epoch, circle.public_key)
        return self._under(ring.wrapping_key(recipient, epoch), recipient, epoch)

    def to_circles(self, circles: Iterable[Circle], ring: Keyring | None = None) -> list[Wrap]:
        return [self.to_circle(circle, ring) for circle in circles]

    def to_parent(self, parent: str, key: Key) -> Wrap:
        """Under a patient's identity or clinical key, whose name is `parent`."""
        return self._under(subkey(key, WRAP), parent, 0)

    def _under(self, key: Key, recipient: str, epoch: int) -> Wrap:
        context = contexts.wrap(self.vault, self.kind, self.subject, recipient, epoch)
        blob = wrap_under_key(self.secret, key, context)
        return Wrap(self.kind, self.subject, recipient, epoch, WrapMethod.KEY, blob)


def replace_wraps(tx: Transaction, old: Iterable[Wrap], new: Iterable[Wrap]) -> None:
    """The new ones are all there is of a secret that the old ones led to."""
    for wrap in old:
        tx.delete(wrap)
    put_all(tx, new)


def put_all(tx: Transaction, rows: Iterable[Row]) -> None:
    for row in rows:
        tx.put(row)
