"""What one row of the log is: its leaf, and its entry read back from the bytes that were hashed.

The tree over the leaves is `core.crypto.merkle`; what makes a log whole is `verify`.

Source: RFC 6962 section 2.1, with a salt before the entry so that a leaf that stays after the
entry was deleted cannot be guessed back (docs/decisions/0005-journal-leaves.md).
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, NamedTuple

from serment.core.crypto.entropy import random_bytes
from serment.core.crypto.merkle import leaf_hash
from serment.core.journal.entries import Entry, EventKind, LoggedEntry
from serment.errors import N_, FormatError

# Keys are sorted: the actor and the time come first, the kind last. Within a text every quotation
# mark has a backslash before it, so that these are found where they stand and nowhere else.
_ACTOR, _AT, _KIND, _END = b'{"actor":"', b'","at":"', b',"kind":"', b'"}'

SALT_BYTES = 32  # always, so that the border between salt and entry cannot be moved


def new_salt() -> bytes:
    """Draw the salt of one leaf."""
    return random_bytes(SALT_BYTES)


def leaf(salt: bytes, body: bytes) -> bytes:
    """SHA-256(0x00 || salt || entry), 32 bytes."""
    return leaf_hash(salt, body)


def is_what_was_written(row: LoggedEntry) -> bool:
    """Whether salt and body still give the leaf. A column that somebody filled with another type
    than bytes, as SQL lets him, is not what was written."""
    salt, body = row.salt, row.body
    if not isinstance(salt, bytes) or not isinstance(body, bytes) or len(salt) != SALT_BYTES:
        return False
    return leaf(salt, body) == row.leaf


def parse_entry(body: bytes) -> Entry:
    """Read back what `Entry.encode` wrote.

    Raises:
        FormatError: it is no entry, or of a kind that this program does not know.
    """
    try:
        raw: Any = json.loads(body)
        at = datetime.fromisoformat(raw["at"])
        entry = Entry(EventKind(raw["kind"]), at, str(raw["actor"]), dict(raw["details"]))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise _unreadable() from error
    if at.tzinfo is None:
        raise _unreadable()
    return entry


class Glance(NamedTuple):
    """Kind, time (as written) and actor of an entry, without its details."""

    kind: bytes
    at: bytes
    actor: bytes


def glance_at(body: bytes) -> Glance | None:
    """What an entry is about, without reading all of it: a million a second. None when it is not laid
    out as `Entry.encode` does; `parse_entry` says whether it is one."""
    after, kind = body.find(_AT), body.rfind(_KIND)
    if not (0 < after < kind and body.startswith(_ACTOR) and body.endswith(_END)):
        return None
    at = after + len(_AT)
    return Glance(
        body[kind + len(_KIND) : -len(_END)],
        body[at : body.find(b'"', at)],
        body[len(_ACTOR) : after],
    )


def written_at(at: datetime) -> bytes:
    """A time (UTC) as entries have it: such texts are in the order of the times."""
    return at.isoformat(timespec="microseconds").encode()


def entry_of(row: LoggedEntry) -> Entry | None:
    """The entry of a row, or None once its retention has ended."""
    return None if row.body is None else parse_entry(row.body)


def _unreadable() -> FormatError:
    return FormatError(
        N_("an entry of the journal cannot be read"),
        hint=N_("run `serment journal verify`; a newer Serment may have written it"),
    )
