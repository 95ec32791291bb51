"""AFP, the file sharing of older Macs and of NAS: whether a guest is let in, and what he may list."""

from __future__ import annotations

import contextlib
from typing import Final

from serment.adapters.network.line import Gone
from serment.adapters.network.probing import Call, Heard, Probe
from serment.adapters.network.shares import afp
from serment.adapters.network.shares.noting import note, note_files
from serment.adapters.network.shares.walk import Refused, Tally, walk
from serment.core.exposure.seen import Answer, Files

_ROOT: Final = 2  # the number of a volume's first folder


def talk(call: Call) -> Heard | None:
    """Ask what it is; sign in as the guest where guests are announced."""
    status = afp.Session(call.line()).status()
    if not any(each.startswith(b"AFP") for each in status.versions):
        return None
    call.understood()
    call.heard = Heard("afp", status.machine, facts=Files(anonymous=Answer.REFUSED))
    if afp.GUEST in status.ways and status.version:
        with contextlib.suppress(Gone, Refused):
            _visit(call, status.version)
    return call.heard


def _visit(call: Call, version: bytes) -> None:
    session = afp.Session(call.line())
    if not session.begin(version):
        return
    note(call, anonymous=Answer.YES)
    tally, shown = Tally(), 0
    for name in session.volumes():
        with contextlib.suppress(Refused):
            root = session.open_volume(name), _ROOT
            for number, _ in enumerate(walk(root, session.show, tally)):
                shown += number == 0
                note_files(call, tally, shares=shown)
    session.end()


PROBE = Probe("afp", talk, usual=frozenset({548}))
