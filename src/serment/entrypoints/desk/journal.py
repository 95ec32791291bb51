"""Requests about the journal. Its entries name no patient, so the local owner needs no session."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from serment.app.watch.checkpoints import take
from serment.app.watch.expiry import keep_for
from serment.app.watch.sentences import describe
from serment.app.watch.verification import export_lines, verify_journal
from serment.core.journal.caller import LOCAL
from serment.core.journal.entries import Entry, EventKind, LoggedEntry
from serment.core.journal.log import entry_of
from serment.core.records.vault import Device, Member, Setting
from serment.entrypoints.desk.desk import Answer, Desk
from serment.entrypoints.desk.request import Request
from serment.errors import N_, FormatError, IntegrityError, UsageError

LAST = 50
PUBLIC_KEY = "journal-public-key"


def entries(desk: Desk, request: Request) -> Answer:
    """`serment journal list`: the last entries as messages and as JSON."""
    last = int(request.options.get("last") or LAST)
    size = desk.house.store.journal_size()
    names = _names(desk)
    rows = desk.house.store.journal(max(size - last, 0))
    return [_line(row, names) for row in rows]


def _line(row: LoggedEntry, names: Mapping[str, str]) -> dict[str, Any]:
    silent: dict[str, Any] = {
        "index": row.index,
        "at": None,
        "kind": None,
        "details": None,
        "values": {},
    }
    try:
        entry = entry_of(row)
    except FormatError as error:
        return {**silent, "message": error.message}
    if entry is None:
        return {**silent, "message": N_("expired")}
    sentence = describe(entry)
    return {
        "index": row.index,
        "at": entry.at,
        "kind": entry.kind.value,
        "actor": entry.actor,
        "details": entry.details,
        "message": sentence.message,
        "values": {key: names.get(str(v), v) for key, v in sentence.values.items()},
    }


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
    store.record(Entry(EventKind.EXPORTED, desk.house.clock.now(), LOCAL, details))
    lines = export_lines(desk.house.store, desk.house.vault, public_key(desk))
    return (line.encode() + b"\n" for line in lines)


def checkpoint(desk: Desk, request: Request) -> Answer:
    """`serment journal checkpoint`: the newest signed note; that it was taken is journalled."""
    return take(desk.house.store, desk.house.clock, LOCAL).note


def retention(desk: Desk, request: Request) -> Answer:
    """`serment journal retention`: {"months"}, chosen by an administrator or the DPO."""
    months = request.options.get("months")
    if not isinstance(months, int):
        raise UsageError(N_("how many months?"), hint=N_("12 is usual"))
    with desk.session(request) as session:
        keep_for(desk.house.store, desk.house.clock, session.member, months)
    return {"months": months}
