"""Requests about the journal. Its entries name no patient, so the local owner needs no session."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from serment.app.watch.checkpoints import newest
from serment.app.watch.sentences import describe
from serment.app.watch.verification import export_lines, verify_journal
from serment.core.journal.entries import Entry, EventKind
from serment.core.journal.log import entry_of
from serment.core.records.vault import Device, Member, Setting
from serment.entrypoints.desk.desk import Answer, Desk
from serment.entrypoints.desk.request import Request
from serment.errors import N_, IntegrityError, NotFound

LAST = 50
PUBLIC_KEY = "journal-public-key"


def entries(desk: Desk, request: Request) -> Answer:
    """`serment journal list`: the last entries as messages and as JSON."""
    last = int(request.options.get("last") or LAST)
    size = desk.house.store.journal_size()
    found: list[dict[str, Any]] = []
    names = _names(desk)
    for row in desk.house.store.journal(max(size - last, 0)):
        entry = entry_of(row)
        if entry is None:
            expired = {"index": row.index, "at": None, "kind": None, "details": None}
            found.append({**expired, "message": N_("expired"), "values": {}})
            continue
        sentence = describe(entry)
        found.append(
            {
                "index": row.index,
                "at": entry.at,
                "kind": entry.kind.value,
                "actor": entry.actor,
                "details": entry.details,
                "message": sentence.message,
                "values": {key: names.get(str(v), v) for key, v in sentence.values.items()},
            }
        )
    return found


def _names(desk: Desk) -> dict[str, str]:
    """Logins and device names by the ids that entries use."""
    found = {}
    for member in desk.house.store.find(Member):
        found[member.id] = found[f"member:{member.id}"] = member.login
    for device in desk.house.store.find(Device):
        found[device.id] = found[f"device:{device.id}"] = device.name
    return found


def public_key(desk: Desk) -> bytes:
    """The key that checkpoints are verified with."""
    setting = desk.house.store.get(Setting, PUBLIC_KEY)
    if setting is None:
        raise IntegrityError(
            N_("the vault has lost the public key of its journal"),
            hint=N_("restore keys.copy: `serment doctor --restore-keys`"),
        )
    return setting.value


def verify(desk: Desk, request: Request) -> Answer:
    """`serment journal verify`: {"entries", "ok", "expired", "first_bad", ...}."""
    kept = request.maybe("kept")
    found = verify_journal(desk.house.store, desk.house.vault, public_key(desk), kept)
    return {
        "entries": found.entries,
        "ok": found.ok,
        "expired": found.expired,
        "first_bad": found.first_bad,
        "reason": found.reason,
        "unsigned": found.unsigned,
        "late": found.late,
        "kept": kept is not None,
    }


def export(desk: Desk, request: Request) -> Iterator[bytes]:
    """`serment journal export`: JSON Lines that `core.journal.lines` can verify elsewhere. That
    the journal was taken out is its last entry."""
    store = desk.house.store
    details = {"what": "journal", "count": store.journal_size(), "name": desk.house.practice}
    actor = request.login or "local"
    for member in store.find(Member, login=actor):
        actor = member.id
    store.record(Entry(EventKind.EXPORTED, desk.house.clock.now(), actor, details))
    lines = export_lines(desk.house.store, desk.house.vault, public_key(desk))
    return (line.encode() + b"\n" for line in lines)


def checkpoint(desk: Desk, request: Request) -> Answer:
    """`serment journal checkpoint`: the newest signed note."""
    row = newest(desk.house.store)
    if row is None:
        raise NotFound(
            N_("there is no checkpoint yet"),
            hint=N_("a running server signs one within a minute"),
        )
    return row.note
