"""Whether the second copy of the keys would bring back what a lost database takes along.

Objects come back from their packs; wraps, members and the journal from `keys.copy` only. So it must
be there, be readable, agree with its own journal and with the database's, and not be old.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from serment.app.keep.rows import compare
from serment.core.journal.copies import ANOTHER, COPY_EVERY, NEWER
from serment.core.journal.log import entry_of
from serment.core.journal.retention import ACCESSES
from serment.errors import N_, FormatError, IntegrityError, NotFound
from serment.ports import Store

OLD = 2 * COPY_EVERY
RENEWED = N_("a running server writes a new one within the hour; with none, `serment doctor` does")
NONE = N_("there is no second copy of the keys (keys.copy)")
UNREADABLE = N_("the second copy of the keys (keys.copy) cannot be read: {what}")
DAMAGED = N_("{count} rows of the second copy of the keys are not what its journal tells of")
OLDER = N_("the second copy of the keys is old: it lacks {count} changes, the first of {at}")


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why the copy would not do. `message` is a gettext id; `renew`: nothing is lost by writing it
    anew from a sound database."""

    message: str
    values: dict[str, Any] = field(default_factory=dict)
    renew: bool = True


def doubt(store: Store, now: datetime, *, thorough: bool = True) -> Doubt | None:
    """The first reason not to rely on the copy; None where it would do, or is not needed.
    `thorough` recomputes the digest of each of its rows."""
    try:
        with store.copied() as copy:
            return None if copy is None else _of(copy, store, now, thorough)
    except NotFound:
        return Doubt(NONE)
    except (IntegrityError, FormatError) as error:
        return Doubt(UNREADABLE, {"what": str(error)})


def _of(copy: Store, store: Store, now: datetime, thorough: bool) -> Doubt | None:
    if wrong := copy.check():
        return Doubt(UNREADABLE, {"what": str(wrong[0])})
    size, present = copy.journal_size(), store.journal_size()
    if size > present:
        return Doubt(NEWER, {"count": size - present}, renew=False)
    if any(a.leaf != b.leaf for a, b in zip(copy.journal(), store.journal(0, size), strict=False)):
        return Doubt(ANOTHER, renew=False)
    if thorough and (odd := compare(copy, objects=False).odd):
        return Doubt(DAMAGED, {"count": len(odd)})
    changes = _changes(store, size, present)
    if changes and min(changes) < now - OLD:
        return Doubt(OLDER, {"count": len(changes), "at": min(changes).isoformat()})
    return None


def _changes(store: Store, start: int, stop: int) -> list[datetime]:
    """When each thing was written that is more than a look at something."""
    found = []
    for row in store.journal(start, stop):
        with suppress(FormatError):  # `journal verify` says so
            entry = entry_of(row)
            if entry is not None and entry.kind not in ACCESSES:
                found.append(entry.at)
    return found
