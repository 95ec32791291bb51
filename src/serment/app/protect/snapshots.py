"""The search rows of a circle on disk, between two openings: compressed, sealed, never believed.

A shortcut, not a source. It opens under a key derived from the circle's seed, for the epoch it was
made in; whatever is odd about it counts as none. Which of its rows may still be shown is decided
in `tables`.

The sealed plaintext is one line of JSON {"version", "entries", "cursor", "damaged"} and the image
of the table, deflated (RFC 1950).
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass

from serment.app.keyring import Keyring
from serment.core.crypto.keys import subkey
from serment.core.crypto.wraps import open_value, seal_value
from serment.core.records import contexts, names
from serment.core.records.vault import Snapshot
from serment.errors import N_, FormatError, IntegrityError

LABEL = "snapshot"  # of the subkey of a circle's seed
VERSION = 1
LEVEL = 1  # deflating less takes a third of the time
LARGEST = 900_000_000  # bytes; SQLite keeps values up to 1 GB


@dataclass(frozen=True, slots=True)
class Contents:
    """Rows, and how far they go: entries of the journal, cursor of the objects."""

    entries: int
    cursor: int
    damaged: tuple[str, ...]  # names of what could not be opened
    image: bytes


def seal(ring: Keyring, circle: str, contents: Contents) -> Snapshot | None:
    """The snapshot under the newest epoch held; None when it is too large to keep."""
    epoch = ring.epoch(names.circle(circle))
    head = {
        "version": VERSION,
        "entries": contents.entries,
        "cursor": contents.cursor,
        "damaged": contents.damaged,
    }
    plain = json.dumps(head).encode() + b"\n" + zlib.compress(contents.image, LEVEL)
    if len(plain) > LARGEST:
        return None
    key = subkey(ring.seed(names.circle(circle), epoch), LABEL)
    sealed = seal_value(plain, key, contexts.snapshot(ring.vault, circle, epoch))
    return Snapshot(circle, epoch, contents.cursor, sealed)


def open_sealed(ring: Keyring, snapshot: Snapshot) -> Contents:
    """What a snapshot holds.

    Raises:
        IntegrityError: it is not authentic, or of another epoch than the newest one held.
        FormatError: it was written by another version.
    """
    circle, epoch = snapshot.circle, ring.epoch(names.circle(snapshot.circle))
    if snapshot.epoch != epoch:
        raise IntegrityError(N_("the snapshot is of another epoch"))
    key = subkey(ring.seed(names.circle(circle), epoch), LABEL)
    plain = open_value(snapshot.sealed, key, contexts.snapshot(ring.vault, circle, epoch))
    head, _, image = plain.partition(b"\n")
    try:
        said = json.loads(head)
        if said["version"] != VERSION:
            raise _another_version()
        damaged = tuple(map(str, said["damaged"]))
        entries, cursor = int(said["entries"]), int(said["cursor"])
        return Contents(entries, cursor, damaged, zlib.decompress(image))
    except (ValueError, TypeError, KeyError, zlib.error) as error:
        raise _another_version() from error


def _another_version() -> FormatError:
    return FormatError(N_("the snapshot was written by another version of Serment"))
