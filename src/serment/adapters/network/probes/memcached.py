"""Memcached: its version and how many items it keeps, asked without an account; no key is read.

Source: protocol.txt of Memcached 1.6, "General-purpose statistics" and "version".
"""

from __future__ import annotations

import re
from typing import Final

from serment.adapters.network.line import Line
from serment.adapters.network.probing import Call, Heard, Probe
from serment.core.exposure.findings import Readable, Unit, counted
from serment.core.exposure.seen import Answer, Database

_LINE: Final = 512
_STATISTICS: Final = 200  # lines of them


def talk(call: Call) -> Heard | None:
    """`version`, which needs no account unless somebody added one; then `stats`."""
    with call.line() as line:
        line.send(b"version\r\n")
        said = parse_version(line.until(b"\n", _LINE))
        if said is None:
            return None
        call.understood()
        answer, version = said
        call.heard = Heard("memcached", "Memcached", version, facts=Database(answer))
        if answer is Answer.YES:
            line.send(b"stats\r\n")
            facts = Database(answer, readable=_count(line))
            call.heard = Heard("memcached", "Memcached", version, facts=facts)
        return call.heard


def parse_version(untrusted: bytes) -> tuple[Answer, str] | None:
    """Whether it answered, and its version; None when it is not Memcached."""
    if found := re.fullmatch(rb"VERSION ([\x21-\x7e]{1,40})\r?\n", untrusted):
        return Answer.YES, found[1].decode("ascii")
    if untrusted.startswith(b"CLIENT_ERROR unauthenticated"):
        return Answer.REFUSED, ""
    return None


def parse_item_count(untrusted: bytes) -> Readable | None:
    """The number of items, when this line of `stats` tells it."""
    found = re.fullmatch(rb"STAT curr_items (\d{1,18})\r?\n", untrusted)
    return counted(int(found[1]), Unit.ROWS) if found else None


def _count(line: Line) -> Readable | None:
    for _ in range(_STATISTICS):
        said = line.until(b"\n", _LINE)
        if (found := parse_item_count(said)) is not None:
            return found
        if not said.startswith(b"STAT "):
            break
    return None


PROBE = Probe(
    "memcached", talk, usual=frozenset({11211}), rank=48, begins=(b"ERROR\r\n", b"VERSION ")
)
