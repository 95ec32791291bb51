"""How messages between practice and helper lie on the wire: a head of seven bytes, then the message.

Head: "SRM1", kind, length (big endian). Only as many bytes as a kind may have are ever waited for;
whatever else a stranger sends is refused from its first seven bytes. What messages mean is
`pairing` and `visit`.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Final

from serment.errors import N_, FormatError

HEAD: Final = struct.Struct(">4sBH")
MOST_BYTES: Final = 4096  # of a message
_MAGIC: Final = b"SRM1"


class Kind(IntEnum):
    """What a message is."""

    HELLO = 1  # practice: which pairing
    CHALLENGE = 2  # helper: single use, signed
    ASK = 3  # practice: what to look at, signed
    ANSWER = 4  # helper: what was seen, signed
    PAIR = 5  # practice
    PAIRED = 6  # helper
    PROVE = 7  # helper, to the practice's own listener
    TOKEN = 8  # that listener
    REFUSED = 9  # helper: one byte, why


class Why(IntEnum):
    """Why a helper refuses."""

    UNKNOWN = 1  # no such pairing, or a signature that is not its
    CODE = 2  # no code, or a wrong one
    BUSY = 3  # too many callers
    NONSENSE = 4  # no message of this protocol
    UNABLE = 5  # it cannot keep the hour: its disk, or its file of pairings


LENGTHS: Final = {
    Kind.HELLO: (16, 16),
    Kind.CHALLENGE: (120, 120),
    Kind.ASK: (93, 512),
    Kind.ANSWER: (97, 1024),
    Kind.PAIR: (1276, 1276),
    Kind.PAIRED: (1244, 1244),
    Kind.PROVE: (60, 60),
    Kind.TOKEN: (64, 64),
    Kind.REFUSED: (1, 1),
}


def build(kind: Kind, message: bytes) -> bytes:
    """Head and message."""
    return HEAD.pack(_MAGIC, kind, len(message)) + message


def parse_head(untrusted: bytes, *wanted: Kind) -> tuple[Kind, int]:
    """The kind and length of a message that is one of those wanted.

    Raises:
        FormatError: it is none of them, or longer or shorter than that kind ever is.
    """
    if len(untrusted) != HEAD.size:
        raise nonsense()
    magic, number, length = HEAD.unpack(untrusted)
    if magic != _MAGIC or number not in wanted:
        raise nonsense()
    kind = Kind(number)
    least, most = LENGTHS[kind]
    if not least <= length <= most:
        raise nonsense()
    return kind, length


def nonsense() -> FormatError:
    """What anything else than a message of this protocol is answered with."""
    return FormatError(
        N_("this is no message of a helper outside"),
        hint=N_("check its address and port; both sides need the same Serment"),
    )
