"""The two things a key type can do with a file key; the types themselves are in their own files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from serment.core.crypto.age.header import Stanza


class Recipient(Protocol):
    """Someone a file can be sealed to."""

    def wrap(self, file_key: bytes) -> Stanza:
        """Seal a 16-byte file key."""


class Identity(Protocol):
    """Someone who can open the files sealed to him."""

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        """Return the file key, or None when no stanza is for this identity.

        Raises:
            FormatError: a stanza of this type breaks the specification.
        """
