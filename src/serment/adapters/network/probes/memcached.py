"""Memcached: its version and how many items it keeps, asked without an account; no key is read.

Who hangs up on words, or at the usual port says nothing to them, is asked in the binary protocol. Source: protocol.txt of Memcached 1.6,
"General-purpose statistics" and "version"; the wiki's BinaryProtocolRevamped, "Response Status", "Stat", "Version".
"""

from __future__ import annotations

import re
import struct
from typing import Final

from serment.adapters.network.line import Cut, Gone, Line, Silent
from serment.adapters.network.probing import Call, Heard, Probe
from serment.core.exposure.findings import Readable, Unit, counted
from serment.core.exposure.seen import Answer, Database

_LINE: Final = 512
_USUAL: Final = frozenset({11211})
_STATISTICS: Final = 200  # lines of them
_HEADER: Final = struct.Struct(">BBHBBHIIQ")  # magic, opcode, key, extras, -, status, body, -, -
_REQUEST, _RESPONSE, _VERSION, _STAT = 0x80, 0x81, 0x0B, 0x10
_NO_ACCOUNT: Final = 0x20


def talk(call: Call) -> Heard | None:
    """In words; where these are too few for the binary protocol to hang up, at its usual port, in that."""
    try:
        return _in_words(call)
    except (Gone, Silent) as end:
        is_silent = isinstance(end, Silent) and call.place.port not in _USUAL
        if call.is_understood or is_silent:
            raise
    return _in_binary(call)


def _in_words(call: Call) -> Heard | None:
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


def _in_binary(call: Call) -> Heard | None:
    """The version is told to anybody; figures only without accounts."""
    with call.line() as line:
        line.send(_HEADER.pack(_REQUEST, _VERSION, 0, 0, 0, 0, 0, 0, 0))
        status, _, version = _answer(line, _VERSION)
        if status or not re.fullmatch(rb"[\x21-\x7e]{1,40}", version):
            return None
        call.understood()
        told = version.decode("ascii")
        call.heard = Heard("memcached", "Memcached", told, facts=Database(Answer.NOTHING))
        line.send(_HEADER.pack(_REQUEST, _STAT, 0, 0, 0, 0, 0, 0, 0))
        facts = Database(Answer.YES)
        for _ in range(_STATISTICS):
            status, key, value = _answer(line, _STAT)
            if status:
                is_shut = status == _NO_ACCOUNT
                facts = Database(Answer.REFUSED if is_shut else Answer.NOTHING)
            if key == b"curr_items" and re.fullmatch(rb"\d{1,18}", value):
                facts = Database(Answer.YES, readable=counted(int(value), Unit.ROWS))
            if status or not key or facts.readable:
                break
        return Heard("memcached", "Memcached", told, facts=facts)


def _answer(line: Line, asked: int) -> tuple[int, bytes, bytes]:
    """Status, key and value of one answer.

    Raises:
        ValueError: it is none to that question.
    """
    magic, opcode, key, extras, _, status, body, _, _ = _HEADER.unpack(line.exactly(_HEADER.size))
    if (magic, opcode) != (_RESPONSE, asked):
        raise ValueError
    if body > _LINE:
        raise Cut
    said = line.exactly(body)
    return status, said[extras : extras + key], said[extras + key :]


def _count(line: Line) -> Readable | None:
    for _ in range(_STATISTICS):
        said = line.until(b"\n", _LINE)
        if (found := parse_item_count(said)) is not None:
            return found
        if not said.startswith(b"STAT "):
            break
    return None


PROBE = Probe("memcached", talk, usual=_USUAL, rank=48, begins=(b"ERROR\r\n", b"VERSION "))
