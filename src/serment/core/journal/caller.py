"""Where an act comes from: a session, or a command on this machine.

Whoever runs an act says so once, around it; the store adds it to every entry written meanwhile. An
entry that says itself where it comes from (`session` or `peer`) is left as it is. The addresses of
a session stand in its `opened` entry: they expire with it, who acted stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

from serment.core.journal.entries import Entry

LOCAL = "local"  # in the place of an address
HERE: Mapping[str, Any] = MappingProxyType({"peer": LOCAL, "local": LOCAL, "tls": False})
NOBODY: Mapping[str, Any] = MappingProxyType({})

_caller: ContextVar[Mapping[str, Any]] = ContextVar("caller", default=NOBODY)


@contextmanager
def within(session: str) -> Iterator[None]:
    """What is written meanwhile is done in that session (its random id, not its token)."""
    with _as({"session": session}):
        yield


@contextmanager
def on_this_machine() -> Iterator[None]:
    """What is written meanwhile is done by a command here, in no session."""
    with _as(HERE):
        yield


@contextmanager
def _as(caller: Mapping[str, Any]) -> Iterator[None]:
    before = _caller.get()
    _caller.set(caller)
    try:
        yield
    finally:
        _caller.set(before)


def placed(entry: Entry) -> Entry:
    """The entry, with where it comes from."""
    if not _caller.get() or {"session", "peer"} & entry.details.keys():
        return entry
    return entry.with_details(**_caller.get())
