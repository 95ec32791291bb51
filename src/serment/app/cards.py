"""What is said of public keys, so that a database writer cannot say it: cards and appointments.

A card is sealed under a circle's seed: whom it was shared with, which epoch follows it, which other
circle its holders accepted. An appointment is signed with a key that only administrators and the
kit have (it comes from the authority's key): they made this circle. What is believed of it is
decided in `trust`.
"""

from __future__ import annotations

import hashlib

from serment.core.crypto import signing
from serment.core.crypto.keys import subkey
from serment.core.crypto.secret import Key, Seed
from serment.core.crypto.wraps import open_value, seal_value
from serment.core.records import contexts, names
from serment.core.records.vault import Circle, Member, Setting
from serment.errors import IntegrityError
from serment.ports import Store, Transaction

CARD = "card"  # label of the subkey of a circle's seed
APPOINTMENT = "appointment"  # label of the subkey of the authority's key
APPOINTING = "appointing-public-key"  # the setting


def digest(public: bytes) -> str:
    return hashlib.sha256(public).hexdigest()


def member_claim(member: Member) -> str:
    """That this member, with this public key, belongs to the circle."""
    return f"{names.member(member.id)}:{digest(member.public_key)}"


def circle_claim(circle: Circle) -> str:
    """That this epoch of a circle, with this public key, is what it seems."""
    return f"{names.circle_seed(circle.id, circle.epoch)}:{digest(circle.public_key)}"


# Cards


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


# Appointments


def appointing_key(authority: Seed | Key) -> bytes:
    """The public key that verifies what holders of the authority's key appointed."""
    return signing.verify_key(_appointing_seed(authority))


def _appointing_seed(authority: Seed | Key) -> Seed:
    return Seed(subkey(authority, APPOINTMENT).reveal())


def appoint(vault: str, tx: Transaction, circle: Circle, authority: Key) -> None:
    """An administrator says that he made this circle."""
    claim = circle_claim(circle)
    message = contexts.appointment(vault, claim).encode()
    signature = signing.sign(_appointing_seed(authority), message)
    tx.put(Setting(f"{APPOINTMENT}:{claim}", signature))


def is_appointed(vault: str, store: Store, circle: Circle, appointing: bytes | None) -> bool:
    """Whether an administrator of the practice that has this appointing key made it."""
    claim = circle_claim(circle)
    signature = store.get(Setting, f"{APPOINTMENT}:{claim}")
    if signature is None or appointing is None:
        return False
    return signing.verify(appointing, contexts.appointment(vault, claim).encode(), signature.value)
