"""Writes the second copy of the keys, for whoever does, and remembers what was odd about it.

What a new copy keeps of the earlier one, and when it must not replace it, the store decides.
"""

from __future__ import annotations

from datetime import datetime

from serment.core.journal.copies import KEPT
from serment.core.journal.entries import Entry, EventKind
from serment.core.records.vault import Setting
from serment.errors import IntegrityError
from serment.ports import Store

DOUBTED = "keys-copy-doubted"  # setting: why the copy is not simply the database's; else absent
ROWS_KEPT, COPY_KEPT, AGREES = "rows-kept", "copy-kept", "copy-agrees"


def renew(store: Store, now: datetime) -> str:
    """Write the copy anew; journal, and remember for the home page, when it keeps more than the
    database has (`ROWS_KEPT`), or stays as it was because it knows more (`COPY_KEPT`). "" otherwise.

    Raises:
        NoSpace, Unavailable: the disk, or a reader, stood in the way: try again.
    """
    try:
        what = ROWS_KEPT if store.copy_keys() else ""
    except IntegrityError as error:
        if error.hint != KEPT:
            raise
        what = COPY_KEPT
    _remember(store, now, what)
    return what


def _remember(store: Store, now: datetime, what: str) -> None:
    known = store.get(Setting, DOUBTED)
    if what == ("" if known is None else known.value.decode()):
        return
    entry = Entry(EventKind.REPAIRED, now, "worker", {"what": what or AGREES})
    with store.change(entry) as tx:
        if what:
            tx.put(Setting(DOUBTED, what.encode()))
        elif known is not None:
            tx.delete(known)
