"""Which wraps existed at a past time, rebuilt from the entries alone.

Works on entries that were verified before. Says which keys could reach what; who held those keys
in an open session is for the entries themselves to say.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from serment.core.journal.entries import Entry
from serment.core.journal.rows import DELETED, MADE
from serment.errors import N_, FormatError

# Within a text every quotation mark has a backslash before it: these stand before a key only.
_WRAPS, _BEFORE, _END = b'"wraps_', b",{", b'},"kind":'


class WrapName(NamedTuple):
    """The primary key of a wrap: what it holds, of what, for whom, at which of their epochs."""

    kind: str
    subject: str
    recipient: str
    epoch: int


class Change(NamedTuple):
    """The wraps that one entry tells of."""

    at: datetime
    made: tuple[WrapName, ...]
    deleted: tuple[WrapName, ...]


class KeyState:
    """The set of wraps, as one change after the other makes it."""

    def __init__(self) -> None:
        self._wraps: set[WrapName] = set()

    @property
    def wraps(self) -> frozenset[WrapName]:
        """The wraps that exist after the changes so far."""
        return frozenset(self._wraps)

    def apply(self, change: Change) -> None:
        """Make, then delete: an entry never names the same wrap twice."""
        self._wraps.update(change.made)
        self._wraps.difference_update(change.deleted)


def history(entries: Iterable[Entry]) -> Iterator[Change]:
    """What was made and deleted when, in the order of the log; other entries are left out.

    Raises:
        FormatError: an entry tells of wraps in a way this program does not know.
    """
    for entry in entries:
        change = change_of(entry)
        if change.made or change.deleted:
            yield change


def change_of(entry: Entry) -> Change:
    """What one entry tells of wraps; errors as `history`."""
    details = entry.details
    return Change(entry.at, _list(details.get(MADE, [])), _list(details.get(DELETED, [])))


def wraps_text(body: bytes) -> bytes | None:
    """Where an entry (`Entry.encode`) tells of wraps: both lists with their names, which stand last
    in its details. None when it tells of none."""
    start = body.find(_WRAPS)
    while start >= 0 and body[start - 1] not in _BEFORE:  # within a text
        start = body.find(_WRAPS, start + 1)
    return body[start : body.rfind(_END)] if start >= 0 else None


def wraps_told(text: bytes) -> tuple[tuple[WrapName, ...], tuple[WrapName, ...]]:
    """Made, and deleted: read off what `wraps_text` found, without the rest of the entry.

    Raises:
        FormatError: it cannot be read.
    """
    try:
        found = json.loads(b"{" + text + b"}")
    except (ValueError, RecursionError) as error:
        raise _unreadable() from error
    if not isinstance(found, dict):
        raise _unreadable()
    return _list(found.get(MADE, [])), _list(found.get(DELETED, []))


def wraps_at(entries: Iterable[Entry], at: datetime) -> frozenset[WrapName]:
    """The wraps that existed once everything up to and including `at` had happened."""
    state = KeyState()
    for change in history(entries):
        if change.at <= at:
            state.apply(change)
    return state.wraps


def wraps_during(entries: Iterable[Entry], start: datetime, end: datetime) -> frozenset[WrapName]:
    """Every wrap that existed at some instant from `start` to `end`: what somebody who could read
    the vault all that time may have taken; deleting it since takes nothing back."""
    before = KeyState()
    since: set[WrapName] = set()
    for change in history(entries):
        if change.at <= start:
            before.apply(change)
        elif change.at <= end:
            since.update(change.made)
    return before.wraps | since


def _list(found: object) -> tuple[WrapName, ...]:
    if not isinstance(found, list):
        raise _unreadable()
    return tuple(map(_name, found))


def _name(raw: Any) -> WrapName:
    """By hand, because there are millions."""
    try:
        kind, subject, recipient, epoch = raw
    except (TypeError, ValueError) as error:
        raise _unreadable() from error
    if not (type(kind) is type(subject) is type(recipient) is str and type(epoch) is int):
        raise _unreadable()
    # Kinds and recipients repeat by the hundred thousand: one copy of each.
    return WrapName(sys.intern(kind), subject, sys.intern(recipient), epoch)


def _unreadable() -> FormatError:
    return FormatError(
        N_("an entry of the journal tells of keys in a way that cannot be read"),
        hint=N_("run `serment journal verify`; a newer Serment may have written it"),
    )
