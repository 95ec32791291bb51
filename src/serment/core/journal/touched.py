"""What entries say was changed: what somebody who keeps rows in memory must look at again.

Decides nothing about how; reads no more of an entry than the ids it names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from serment.core.journal.entries import Entry, EventKind, LoggedEntry
from serment.core.journal.keystate import Change, history
from serment.core.journal.log import entry_of
from serment.core.journal.retention import ACCESSES
from serment.core.records.names import NameKind, parse_name
from serment.errors import FormatError


@dataclass(frozen=True, slots=True)
class Touched:
    """Ids, and `keys`: names (`core.records.names`) of what others can open than before."""

    envelopes: set[str] = field(default_factory=set)  # arrived, filed, unfiled, moved
    patients: set[str] = field(default_factory=set)  # whose identity record was written anew
    objects: set[str] = field(default_factory=set)  # marked as repeated
    keys: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.envelopes or self.patients or self.objects or self.keys)

    def named(self, kind: NameKind) -> set[str]:
        """The ids of the keys of that kind."""
        parsed = (parse_name(key) for key in self.keys)
        return {name.id for name in parsed if name.kind is kind}


def touched_by(rows: Iterable[LoggedEntry]) -> Touched:
    """What these rows of the log tell of. An entry that cannot be read tells nothing: whether the
    log is whole is for `verify` to say."""
    touched = Touched()
    for row in rows:
        try:
            entry = entry_of(row)
            if entry is not None and entry.kind not in ACCESSES:
                _add(touched, entry)
        except FormatError:
            continue
    return touched


def tells_of_a_change(row: LoggedEntry) -> bool:
    """Whether more may have happened than that somebody looked at something."""
    try:
        entry = entry_of(row)
    except FormatError:
        return True
    return entry is not None and entry.kind not in ACCESSES


def _add(touched: Touched, entry: Entry) -> None:
    details = entry.details
    touched.envelopes.update(_ids(details.get("envelopes")), _ids([details.get("envelope")]))
    touched.patients.update(_ids(details.get("learnt")))
    touched.objects.update(_ids(details.get("duplicates")), _ids(details.get("conflicts")))
    if entry.kind is not EventKind.RECEPTION_OPENED:  # nobody knew of the subject before
        for change in history([entry]):
            touched.keys.update(_other_readers(change))


def _ids(value: object) -> Iterator[str]:
    """The texts in a list, or the keys of an object; nothing of what an entry may hold besides."""
    if isinstance(value, list | dict):
        yield from (each for each in value if isinstance(each, str))


def _other_readers(change: Change) -> set[str]:
    """Subjects that have other recipients than before; a new epoch of one is the same one."""
    made = {(w.kind, w.subject, w.recipient) for w in change.made}
    deleted = {(w.kind, w.subject, w.recipient) for w in change.deleted}
    changed = {subject for _, subject, _ in made ^ deleted}
    for subject in changed:
        parse_name(subject)  # or the entry is one this program cannot read
    return changed
