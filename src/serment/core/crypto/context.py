"""What a sealed value is bound to: the exact bytes of every HPKE `info` and associated data.

A value opened under another vault, kind, subject, recipient or epoch is not authentic. Which
names stand in the fields is decided by `core.records`.
"""

from __future__ import annotations

from dataclasses import dataclass

VERSION = b"serment/v1"


def encode_fields(*fields: str | bytes) -> bytes:
    """Return the version and each field behind its length (4 bytes, big endian).

    No two different lists of fields give the same bytes.

    >>> encode_fields("a", b"bc")
    b'serment/v1\\x00\\x00\\x00\\x01a\\x00\\x00\\x00\\x02bc'
    """
    parts = [VERSION]
    for field in fields:
        raw = field.encode() if isinstance(field, str) else field
        parts.append(len(raw).to_bytes(4, "big"))
        parts.append(raw)
    return b"".join(parts)


@dataclass(frozen=True, slots=True)
class Context:
    """Vault id, what kind of thing, whose it is, who may open it, and in which epoch."""

    vault: str
    kind: str
    subject: str
    recipient: str
    epoch: int = 0

    def encode(self) -> bytes:
        """Return the fields length-prefixed, then the epoch (8 bytes, big endian)."""
        named = encode_fields(self.vault, self.kind, self.subject, self.recipient)
        return named + self.epoch.to_bytes(8, "big")
