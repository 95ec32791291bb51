"""What every sealed value of a vault is bound to: one function a kind, so that none can be mixed up.

The bytes are `core.crypto.context.Context.encode()`: "serment/v1" and the length-prefixed vault
id, kind, subject, recipient, epoch (docs/format.md, "Contexts").
"""

from __future__ import annotations

from serment.core.crypto.context import Context
from serment.core.records.vault import WrapKind


def wrap(vault: str, kind: WrapKind, subject: str, recipient: str, epoch: int) -> Context:
    """A key wrapped for a recipient at an epoch of that recipient."""
    return Context(vault, kind.value, subject, recipient, epoch)


def identity_header(vault: str, envelope: str, number: int) -> Context:
    """The administrative header `number` of an envelope."""
    return Context(vault, "identity-header", f"envelope:{envelope}", "", number)


def clinical_header(vault: str, object_id: str, envelope: str, sha256: bytes) -> Context:
    """The authenticated index record: names the object, its envelope and its age file's digest."""
    return Context(vault, "clinical-header", f"object:{object_id}", f"{envelope}:{sha256.hex()}")


def identity_record(vault: str, patient: str) -> Context:
    """A patient's name, birth date, sex, identifiers and contact."""
    return Context(vault, "identity-record", f"patient:{patient}", "")


def summary(vault: str, envelope: str) -> Context:
    """The category summary of an envelope, under the identity key of its patient."""
    return Context(vault, "summary", f"envelope:{envelope}", "")


def snapshot(vault: str, circle: str, epoch: int) -> Context:
    """A circle's search rows."""
    return Context(vault, "snapshot", f"circle:{circle}", "", epoch)


def card(vault: str, circle: str, epoch: int, claim: str) -> Context:
    """What the holder of a circle's seed says of a member or of another circle."""
    return Context(vault, "card", claim, f"circle:{circle}", epoch)


def appointment(vault: str, claim: str) -> Context:
    """What an administrator signs of a circle he made."""
    return Context(vault, "appointment", claim, "")


def pins(vault: str, member: str) -> Context:
    """The public keys a member has seen, under a key derived from his seed."""
    return Context(vault, "pins", f"member:{member}", "")


def second_factor(vault: str, member: str) -> Context:
    """A member's TOTP secret, under a key derived from his seed."""
    return Context(vault, "totp", f"member:{member}", "")
