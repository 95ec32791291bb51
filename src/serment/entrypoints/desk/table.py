"""Every request the command line can make of an open vault, by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from serment.core.journal.caller import on_this_machine
from serment.entrypoints.desk import breach, journal, people, reading, scan, state
from serment.entrypoints.desk.desk import Answer, Desk, Handler
from serment.entrypoints.desk.request import Request
from serment.errors import N_, UsageError

REQUESTS: Mapping[str, Handler] = {
    "status": state.status,
    "unlock": state.unlock,
    "lock": state.lock,
    "search": reading.search,
    "show": reading.show,
    "fetch": reading.fetch,
    "waiting": reading.waiting,
    "file": reading.file,
    "unfile": reading.unfile,
    "repeats": reading.against_vault,
    "member add": people.add_member,
    "member admit": people.admit_member,
    "member words": people.fingerprint,
    "member remove": people.remove_member,
    "member password": people.change_password,
    "member list": people.list_members,
    "circle accept": people.accept_circle,
    "circle list": people.circle_words,
    "device add": people.add_device,
    "device remove": people.remove_device,
    "device list": people.list_devices,
    "journal list": journal.entries,
    "journal verify": journal.verify,
    "journal export": journal.export,
    "journal checkpoint": journal.checkpoint,
    "journal retention": journal.retention,
    "breach radius": breach.compute,
    "scan keep": scan.keep,
    "scan history": scan.told,
    "scan ledger": scan.ledger,
    "scan accept": scan.accept,
    "scan schedule": scan.weekly,
    "kit declared": state.declare_kit,
}

NEEDS_SERVER = frozenset({"unlock", "lock"})


def answer(desk: Desk, request: Request) -> Answer:
    """Run one request; iterators stream."""
    handler = REQUESTS.get(request.command)
    if handler is None:
        raise UsageError(N_("there is no request {name}"), name=request.command)
    with on_this_machine():
        result = handler(desk, request)
    return result if isinstance(result, Iterator) else _plain(result)


def _plain(value: Answer) -> Answer:
    """JSON values only: times in ISO 8601."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.isoformat() if hasattr(value, "isoformat") else value
