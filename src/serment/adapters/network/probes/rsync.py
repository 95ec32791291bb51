"""rsync daemons: their modules, and what of each is listed without a password (counted)."""

from __future__ import annotations

import contextlib

from serment.adapters.network.line import Cut, Ended, Gone, Line
from serment.adapters.network.probing import NONSENSE, Call, Heard, Probe
from serment.adapters.network.shares import rsync
from serment.adapters.network.shares.noting import note, note_files
from serment.adapters.network.shares.walk import Refused, Tally
from serment.core.exposure.seen import Answer, Files


def talk(call: Call) -> Heard | None:
    """Ask for the list of modules, then for each module's files."""
    line = call.line()
    protocol = rsync.greet(line)
    if protocol is None:
        return None
    call.understood()
    call.heard = Heard("rsync", banner=f"protocol {protocol}", facts=Files())
    try:
        names = rsync.modules(line)
    except (Gone, Refused):
        note(call, anonymous=Answer.REFUSED)
        return call.heard
    note(call, anonymous=Answer.YES if names else Answer.REFUSED)
    tally, shown = Tally(), 0
    for name in names:
        with contextlib.suppress(Gone, Refused, *NONSENSE):
            line = _open(call, name)
            shown += 1
            note(call, shares=shown)
            _count(call, line, name, tally)
    return call.heard


def _count(call: Call, line: Line, name: str, tally: Tally) -> None:
    """Files of one module; what was counted before the list broke off stays."""
    try:
        for path in rsync.files(line, name):
            tally.add(path)
    except Ended as end:
        tally.more = True
        call.was_cut = call.was_cut or isinstance(end, Cut)
    note_files(call, tally)


def _open(call: Call, name: str) -> Line:
    line = call.line()
    if rsync.greet(line) is None:
        raise Gone
    rsync.open_module(line, name)
    return line


PROBE = Probe(
    "rsync", talk, hears=lambda said: said.startswith(rsync.HELLO), usual=frozenset({873})
)
