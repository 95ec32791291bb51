"""What is known of a file service so far, kept in its call: a talk that is cut leaves that."""

from __future__ import annotations

from dataclasses import replace

from serment.adapters.network.probing import Call
from serment.adapters.network.shares.walk import Tally
from serment.core.exposure.seen import Files


def known(call: Call) -> Files:
    """What has been noted; the call has been given a `Heard` with `Files` before."""
    assert call.heard is not None
    assert isinstance(call.heard.facts, Files)
    return call.heard.facts


def note(call: Call, **changes: object) -> None:
    """Change some fields of it."""
    assert call.heard is not None
    changed = replace(known(call), **changes)  # type: ignore[arg-type]
    call.heard = replace(call.heard, facts=changed)


def note_files(call: Call, tally: Tally, **changes: object) -> None:
    """The same, with what has been counted."""
    note(call, listed=dict(tally.listed), readable=tally.readable, **changes)
