"""What a session believes of the public keys it finds: only what its own keys vouch for.

The database can be written by whoever has the disk, or takes over a process of this user. So a
circle's seed signs, with a key derived from it, whom it was shared with (a card), and which epoch
follows it; and each member keeps, sealed under his own seed, the keys he has seen (his pins). A key
that neither a pin nor a chain of cards supports stops the circle. What a member sees for the first
time he believes (his words were compared at admission); a rolled back database rolls back pins too
(threat model).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field

from serment.app import circles
from serment.app.keyring import Keyring
from serment.core.crypto.keys import public_key, subkey
from serment.core.crypto.secret import Seed
from serment.core.crypto.wraps import open_value, seal_value
from serment.core.records import contexts, names
from serment.core.records.vault import Circle, Member, Setting
from serment.errors import N_, IntegrityError
from serment.ports import Store, Transaction

CARD = "card"  # labels of subkeys
PINS = "pins"
Pin = list[int | str]  # epoch and SHA-256 of the public key


def _digest(public: bytes) -> str:
    return hashlib.sha256(public).hexdigest()


def member_claim(member: Member) -> str:
    """That this member, with this public key, belongs to the circle."""
    return f"{names.member(member.id)}:{_digest(member.public_key)}"


def circle_claim(circle: Circle) -> str:
    """That this epoch of a circle, with this public key, is what it seems."""
    return f"{names.circle_seed(circle.id, circle.epoch)}:{_digest(circle.public_key)}"


def vouch(vault: str, tx: Transaction, circle: Circle, seed: Seed, claim: str) -> None:
    """Put a card: the holder of the circle's seed says so."""
    context = contexts.card(vault, circle.id, circle.epoch, claim)
    tx.put(Setting(_name(circle, claim), seal_value(b"", subkey(seed, CARD), context)))


def is_vouched(
    vault: str, store: Store | Transaction, circle: Circle, seed: Seed, claim: str
) -> bool:
    """Whether the holder of that seed has said so."""
    card = store.get(Setting, _name(circle, claim))
    if card is None:
        return False
    try:
        open_value(
            card.value, subkey(seed, CARD), contexts.card(vault, circle.id, circle.epoch, claim)
        )
    except IntegrityError:
        return False
    return True


def _name(circle: Circle, claim: str) -> str:
    return f"{CARD}:{circle.id}@{circle.epoch}:{claim}"


def first_pins(vault: str, tx: Transaction, member: Member, seed: Seed) -> None:
    """A new member's pins: recovery. That they exist is how a deleted row is noticed."""
    recovery = circles.recovery(tx)
    _seal(vault, tx, member, seed, {circles.RECOVERY: _pin(recovery)})


def _pin(circle: Circle) -> Pin:
    return [circle.epoch, _digest(circle.public_key)]


def _seal(vault: str, tx: Transaction, member: Member, seed: Seed, pins: dict[str, Pin]) -> None:
    plain = json.dumps(pins, sort_keys=True).encode()
    sealed = seal_value(plain, subkey(seed, PINS), contexts.pins(vault, member.id))
    tx.put(Setting(f"{PINS}:{member.id}", sealed))


@dataclass(slots=True)
class Trust:
    """What one opening found: circles to stop, and pins to keep if they changed."""

    stopped: set[str] = field(default_factory=set)
    pins: dict[str, Pin] = field(default_factory=dict)
    changed: bool = False


def examine(vault: str, store: Store, member: Member, seed: Seed, ring: Keyring) -> Trust:
    """Hold the circles as the database has them against pins and cards.

    Raises:
        IntegrityError: the member's pins are gone or not his, or the recovery key was changed.
    """
    trust = Trust(set(ring.stopped), _open(vault, store, member, seed))
    current = circles.current(store)
    if trust.pins.get(circles.RECOVERY) != _pin(circles.recovery(store)):
        raise _changed()
    everything = {(c.id, c.epoch): c for c in store.find(Circle)}
    for name in sorted(ring.circles & current.keys()):
        if name not in trust.stopped:
            _held(vault, store, trust, ring, current[name], everything)
    if ring.circles:
        _seen(vault, store, trust, ring, current)
    return trust


def keep(vault: str, tx: Transaction, member: Member, seed: Seed, trust: Trust) -> None:
    """Remember what was believed."""
    _seal(vault, tx, member, seed, trust.pins)


def _open(vault: str, store: Store, member: Member, seed: Seed) -> dict[str, Pin]:
    sealed = store.get(Setting, f"{PINS}:{member.id}")
    if sealed is None:
        raise _changed()
    plain = open_value(sealed.value, subkey(seed, PINS), contexts.pins(vault, member.id))
    pins: dict[str, Pin] = json.loads(plain)
    return pins


def _held(
    vault: str,
    store: Store,
    trust: Trust,
    ring: Keyring,
    circle: Circle,
    everything: dict[tuple[str, int], Circle],
) -> None:
    """A circle whose seed is here: its newest epoch must be ours, and follow from what we knew."""
    recipient = names.circle(circle.id)
    ours = ring.holds_epoch(recipient, circle.epoch) and (
        public_key(ring.seed(recipient, circle.epoch)) == circle.public_key
    )
    pin = trust.pins.get(circle.id)
    if not ours or not (pin is None or _follows(vault, store, ring, pin, circle, everything)):
        trust.stopped.add(circle.id)
    elif pin != _pin(circle):
        trust.pins[circle.id], trust.changed = _pin(circle), True


def _follows(
    vault: str,
    store: Store,
    ring: Keyring,
    pin: Pin,
    circle: Circle,
    everything: dict[tuple[str, int], Circle],
) -> bool:
    """Whether each epoch after the pinned one is vouched for by the seed of the one before."""
    recipient, known = names.circle(circle.id), int(pin[0])
    if circle.epoch < known or not ring.holds_epoch(recipient, known):
        return False
    if _digest(public_key(ring.seed(recipient, known))) != pin[1]:
        return False
    for epoch in range(known, circle.epoch):
        before, after = everything.get((circle.id, epoch)), everything.get((circle.id, epoch + 1))
        if before is None or after is None or not ring.holds_epoch(recipient, epoch):
            return False
        seed = ring.seed(recipient, epoch)
        if not is_vouched(vault, store, before, seed, circle_claim(after)):
            return False
    return True


def _seen(
    vault: str, store: Store, trust: Trust, ring: Keyring, current: dict[str, Circle]
) -> None:
    """Circles that read identities and whose seed is not here: as they were seen first, or as the
    secretariat has vouched for since."""
    for name in sorted({circles.SECRETARIAT, circles.DPO} & current.keys() - ring.circles):
        circle, pin = current[name], trust.pins.get(name)
        if pin == _pin(circle):
            continue
        if pin is None or _accepted(vault, store, ring, current, circle):
            trust.pins[name], trust.changed = _pin(circle), True
        else:
            trust.stopped.add(name)


def _accepted(
    vault: str, store: Store, ring: Keyring, current: dict[str, Circle], circle: Circle
) -> bool:
    secretariat = current.get(circles.SECRETARIAT)
    if secretariat is None or not ring.holds_epoch(names.circle(secretariat.id), secretariat.epoch):
        return False
    seed = ring.seed(names.circle(secretariat.id), secretariat.epoch)
    return is_vouched(vault, store, secretariat, seed, circle_claim(circle))


def _changed() -> IntegrityError:
    return IntegrityError(
        N_("the keys stored for this practice are not those this member knows"),
        hint=N_("somebody changed the vault: call your DPO, run `serment journal verify`"),
    )
