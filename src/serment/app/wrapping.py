"""Makes wraps: to a public key where the recipient's secret is not held, under a key where it is."""

from __future__ import annotations

from serment.app.keyring import WRAP, Keyring
from serment.core.crypto.keys import subkey
from serment.core.crypto.secret import Key, Seed
from serment.core.crypto.wraps import wrap_to_public, wrap_under_key
from serment.core.records import contexts
from serment.core.records.vault import Circle, Wrap, WrapKind, WrapMethod


def to_public(
    vault: str,
    kind: WrapKind,
    subject: str,
    secret: Seed | Key,
    recipient: str,
    epoch: int,
    public: bytes,
) -> Wrap:
    """HPKE to somebody's public key: 0.1 ms, 1.2 kB."""
    context = contexts.wrap(vault, kind, subject, recipient, epoch)
    blob = wrap_to_public(secret, public, context)
    return Wrap(kind, subject, recipient, epoch, WrapMethod.HPKE, blob)


def to_circle(
    vault: str,
    kind: WrapKind,
    subject: str,
    secret: Seed | Key,
    circle: Circle,
    keyring: Keyring | None = None,
) -> Wrap:
    """To a circle: under its own key when the keyring holds it (3 us, 60 bytes), else HPKE."""
    recipient = "recovery" if circle.id == "recovery" else f"circle:{circle.id}"
    if keyring is None or not keyring.holds(circle.id) or keyring.epoch(recipient) != circle.epoch:
        return to_public(vault, kind, subject, secret, recipient, circle.epoch, circle.public_key)
    context = contexts.wrap(vault, kind, subject, recipient, circle.epoch)
    blob = wrap_under_key(secret, keyring.wrapping_key(recipient, circle.epoch), context)
    return Wrap(kind, subject, recipient, circle.epoch, WrapMethod.KEY, blob)


def to_parent(
    vault: str, kind: WrapKind, subject: str, secret: Seed | Key, parent: str, key: Key
) -> Wrap:
    """Under a patient's identity or clinical key ("patient:..." or "compartment:...")."""
    context = contexts.wrap(vault, kind, subject, parent, 0)
    blob = wrap_under_key(secret, subkey(key, WRAP), context)
    return Wrap(kind, subject, parent, 0, WrapMethod.KEY, blob)
