"""One record into packs, as a reception puts it there."""

from __future__ import annotations

import hashlib

from serment.core.crypto.entropy import new_id
from serment.ports import Packs, Place, Room


def append(
    packs: Packs,
    object_id: str,
    envelope_id: str,
    age_file: bytes | bytearray | memoryview,
    sha256: bytes,
    identity: bytes,
    clinical: bytes,
    *,
    one_by_one: bool = False,
) -> Place:
    """A record in a room of its own."""
    room = packs.room(one_by_one)
    room.extend(len(age_file))[:] = age_file
    return room.keep(object_id, envelope_id, sha256, identity, clinical)


def refill(room: Room, age_file: bytes, envelope_id: str = "e" * 32) -> Place:
    """The next record of a room that is used again."""
    room.clear()
    room.extend(len(age_file))[:] = age_file
    return room.keep(new_id(), envelope_id, hashlib.sha256(age_file).digest(), b"i", b"c")
