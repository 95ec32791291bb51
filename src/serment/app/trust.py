"""What a session believes of the public keys it finds: only what its own keys vouch for.

Each member keeps, sealed under his own seed, the keys he has seen (his pins), and from his creation
the recovery key and the one that verifies who made a circle. A circle is believed when it is pinned,
follows from a pin by a chain of cards, or was made by an administrator; one that is not stops.
Nothing is believed because it is seen first (decisions/0008; the limits: threat model).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from serment.app import cards, circles
from serment.app.belief import Belief
from serment.app.keyring import Keyring
from serment.core.crypto.keys import public_key, subkey
from serment.core.crypto.secret import Key, Seed
from serment.core.crypto.wraps import open_value, seal_value
from serment.core.records import contexts, names
from serment.core.records.vault import Circle, Member, Setting
from serment.errors import N_, IntegrityError
from serment.ports import Store, Transaction

PINS = "pins"  # label of the subkey of a member's seed
APPOINTING = ":appointing"  # no circle can have this name
READERS = frozenset({circles.SECRETARIAT, circles.DPO})
Pin = list[int | str]  # epoch and SHA-256 of the public key


def first_pins(vault: str, tx: Transaction, member: Member, seed: Seed) -> None:
    """A new member's pins: recovery, and who appoints. Who makes him has checked both."""
    pins = {circles.RECOVERY: _pin(circles.recovery(tx))}
    appointing = tx.get(Setting, cards.APPOINTING)
    if appointing is not None:
        pins[APPOINTING] = [0, cards.digest(appointing.value)]
    _seal(vault, tx, member, seed, pins)


def check_roots(tx: Transaction, belief: Belief) -> None:
    """Raise `IntegrityError` unless what a new member is about to pin is what was believed."""
    belief.check(circles.recovery(tx))
    _check_appointing(tx, belief.appointing)


def check_kit(tx: Transaction, authority: Key | None) -> None:
    """The same for whoever holds the kit, which opens the authority's key."""
    if authority is not None:
        _check_appointing(tx, cards.appointing_key(authority))


def _check_appointing(tx: Transaction, known: bytes | None) -> None:
    appointing = tx.get(Setting, cards.APPOINTING)
    if (appointing.value if appointing else None) != known:
        raise changed()


def _pin(circle: Circle) -> Pin:
    return [circle.epoch, cards.digest(circle.public_key)]


def _seal(vault: str, tx: Transaction, member: Member, seed: Seed, pins: dict[str, Pin]) -> None:
    plain = json.dumps(pins, sort_keys=True).encode()
    sealed = seal_value(plain, subkey(seed, PINS), contexts.pins(vault, member.id))
    tx.put(Setting(f"{PINS}:{member.id}", sealed))


@dataclass(slots=True)
class Trust:
    """What one look found: circles to believe and to stop, and pins to keep if they changed."""

    belief: Belief = field(default_factory=Belief)
    stopped: set[str] = field(default_factory=set)
    pins: dict[str, Pin] = field(default_factory=dict)
    changed: bool = False


def examine(vault: str, store: Store, member: Member, seed: Seed, ring: Keyring) -> Trust:
    """Hold the circles as the database has them against pins, cards and appointments. While one
    that is held here stops, nothing is believed.

    Raises:
        IntegrityError: the member's pins are gone or not his, or the recovery key, or the key of
            appointments, was changed.
    """
    known = _open(vault, store, member, seed)
    appointing = store.get(Setting, cards.APPOINTING)
    pinned = [0, cards.digest(appointing.value)] if appointing else None
    if known.get(circles.RECOVERY) != _pin(circles.recovery(store)) or pinned != known.get(
        APPOINTING
    ):
        raise changed()
    look = _Look(vault, store, ring, known, appointing.value if appointing else None)
    found, believed = Trust(pins=dict(known)), dict[str, Circle]()
    for name, circle in sorted(look.current.items()):
        verdict = look.judge(circle)
        if verdict:
            believed[name] = circle
            if ring.holds(name) or name in READERS:
                found.pins[name] = _pin(circle)
        elif verdict is False:
            found.stopped.add(name)
    if found.stopped & ring.circles:
        return Trust(stopped=found.stopped, pins=known)
    found.belief, found.changed = Belief(believed, look.appointing), found.pins != known
    return found


def keep(vault: str, tx: Transaction, member: Member, seed: Seed, trust: Trust) -> None:
    """Remember what was believed."""
    _seal(vault, tx, member, seed, trust.pins)


def _open(vault: str, store: Store, member: Member, seed: Seed) -> dict[str, Pin]:
    sealed = store.get(Setting, f"{PINS}:{member.id}")
    if sealed is None:
        raise changed()
    plain = open_value(sealed.value, subkey(seed, PINS), contexts.pins(vault, member.id))
    pins: dict[str, Pin] = json.loads(plain)
    return pins


class _Look:
    """At the circles as they are now, with the keys of one session."""

    def __init__(
        self,
        vault: str,
        store: Store,
        ring: Keyring,
        pins: dict[str, Pin],
        appointing: bytes | None,
    ) -> None:
        self.current, self.appointing = circles.current(store), appointing
        self._vault, self._store, self._ring, self._pins = vault, store, ring, pins
        self._rows = {(c.id, c.epoch): c for c in store.find(Circle)}

    def judge(self, circle: Circle) -> bool | None:
        """Whether it is believed; None when this session's keys cannot tell."""
        if circle.id == circles.RECOVERY:
            return True  # it is the pinned one
        if self._ring.holds(circle.id):
            return self._is_ours(circle) and self._has_come_about(circle)
        if self._pins.get(circle.id) == _pin(circle) or self._is_accepted(circle):
            return True
        root = self._root(circle)
        if root == circle and circle.id not in self._pins:
            return True
        may_tell = self._ring.holds(circles.SECRETARIAT)  # others do not see what was accepted
        return False if may_tell and (root is None or circle.id == circles.DPO) else None

    def _is_ours(self, circle: Circle) -> bool:
        """Whether the seed of the newest epoch is here, and gives the public key that is stored."""
        recipient = names.circle(circle.id)
        return (
            circle.id not in self._ring.stopped
            and self._ring.holds_epoch(recipient, circle.epoch)
            and public_key(self._ring.seed(recipient, circle.epoch)) == circle.public_key
        )

    def _has_come_about(self, circle: Circle) -> bool:
        """From what was pinned, or from what an administrator made, or accepted as it is."""
        pin = self._pins.get(circle.id)
        if pin is not None:
            return self._follows(pin, circle)
        root = self._root(circle)
        return (root is not None and self._follows(_pin(root), circle)) or self._is_accepted(circle)

    def _root(self, circle: Circle) -> Circle | None:
        """Its first epoch, if an administrator made it."""
        root = self._rows.get((circle.id, 1))
        appointed = root and cards.is_appointed(self._vault, self._store, root, self.appointing)
        return root if appointed else None

    def _follows(self, pin: Pin, circle: Circle) -> bool:
        """Whether each epoch after the pinned one is vouched for by the seed of the one before."""
        recipient, known = names.circle(circle.id), int(pin[0])
        if circle.epoch < known or not self._ring.holds_epoch(recipient, known):
            return False
        if cards.digest(public_key(self._ring.seed(recipient, known))) != pin[1]:
            return False
        return all(self._leads_on(circle.id, epoch) for epoch in range(known, circle.epoch))

    def _leads_on(self, name: str, epoch: int) -> bool:
        before, after = self._rows.get((name, epoch)), self._rows.get((name, epoch + 1))
        recipient = names.circle(name)
        if before is None or after is None or not self._ring.holds_epoch(recipient, epoch):
            return False
        seed, claim = self._ring.seed(recipient, epoch), cards.circle_claim(after)
        return cards.is_vouched(self._vault, self._store, before, seed, claim)

    def _is_accepted(self, circle: Circle) -> bool:
        """Whether the secretariat, whose seed is here, has vouched for it."""
        secretariat = self.current.get(circles.SECRETARIAT)
        if secretariat is None or circle.id == circles.SECRETARIAT:
            return False
        recipient = names.circle(secretariat.id)
        if not self._ring.holds_epoch(recipient, secretariat.epoch):
            return False
        seed, claim = self._ring.seed(recipient, secretariat.epoch), cards.circle_claim(circle)
        return cards.is_vouched(self._vault, self._store, secretariat, seed, claim)


def changed() -> IntegrityError:
    return IntegrityError(
        N_("the keys stored for this practice are not those this member knows"),
        hint=N_("somebody changed the vault: call your DPO, run `serment journal verify`"),
    )
