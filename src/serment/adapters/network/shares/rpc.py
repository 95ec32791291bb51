"""ONC RPC over TCP: one question, one bounded answer, and the words both are made of (XDR).

Source: RFC 5531 (RPC version 2, record marking in section 11), RFC 4506 (XDR), RFC 1833 (the port
mapper, version 2).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from serment.adapters.network.line import Cut, Gone, Line

PORT_MAPPER: Final = 100000
RECORD: Final = 256 * 1024  # bytes of one answer
_FRAGMENTS: Final = 64
_LAST: Final = 0x80000000
_REPLY, _ACCEPTED, _SUCCESS, _UNAVAILABLE, _MISMATCH = 1, 0, 0, 1, 2
_SYS: Final = 1  # AUTH_SYS (RFC 5531 appendix A)
_NOBODY: Final = 65534
_DUMP: Final = 4
_TCP: Final = 6
_MAPPINGS: Final = 500


class Unavailable(Exception):
    """The program or procedure is not served there; `versions` are those that are."""

    def __init__(self, versions: tuple[int, int] | None = None) -> None:
        self.versions = versions


class Reader:
    """XDR of one answer; struct.error or ValueError where it ends too soon."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def number(self) -> int:
        return int(self._unpack(">I"))

    def long(self) -> int:
        return int(self._unpack(">Q"))

    def skip(self, count: int) -> None:
        self.fixed(count)

    def fixed(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._data):
            raise ValueError
        found = self._data[self._at : end]
        self._at = end + -end % 4
        return found

    def opaque(self, limit: int = RECORD) -> bytes:
        length = self.number()
        if length > limit:
            raise ValueError
        return self.fixed(length)

    def text(self, limit: int = 1024) -> str:
        return self.opaque(limit).decode("utf-8", "surrogateescape")

    def _unpack(self, layout: str) -> int:
        (found,) = struct.unpack_from(layout, self._data, self._at)
        self._at += struct.calcsize(layout)
        return int(found)


def opaque(data: bytes) -> bytes:
    """Bytes of any length, as XDR."""
    return struct.pack(">I", len(data)) + data + bytes(-len(data) % 4)


@dataclass(slots=True)
class Client:
    """One connection to RPC programs, signed as nobody in particular."""

    line: Line
    _number: int = 0x5E12

    def ask(self, program: int, version: int, procedure: int, words: bytes = b"") -> Reader:
        """One call. `Unavailable` when it is not served, `Gone` when the answer is no RPC."""
        self._number += 1
        who = struct.pack(">I", 0) + opaque(b"serment-audit") + struct.pack(">III", *_ME)
        head = struct.pack(">IIIIIII", self._number, 0, 2, program, version, procedure, _SYS)
        message = head + opaque(who) + struct.pack(">II", 0, 0) + words
        self.line.send(struct.pack(">I", _LAST | len(message)) + message)
        return self._answer()

    def _answer(self) -> Reader:
        said = Reader(_record(self.line, self._number))
        said.skip(8)  # the number, and that it is a reply
        if said.number() != _ACCEPTED:
            raise Unavailable
        said.number()
        said.opaque(400)
        status = said.number()
        if status == _MISMATCH:
            raise Unavailable((said.number(), said.number()))
        if status != _SUCCESS:
            raise Unavailable
        return said


_ME: Final = (_NOBODY, _NOBODY, 0)  # user, group, no other groups


@dataclass(frozen=True, slots=True)
class Program:
    """What a port mapper says listens over TCP."""

    number: int
    version: int
    port: int


def programs(client: Client) -> list[Program]:
    """What the port mapper knows. `Unavailable` when it is none."""
    said = client.ask(PORT_MAPPER, 2, _DUMP)
    found = []
    for _ in range(_MAPPINGS):
        if not said.number():
            break
        number, version, transport, port = (said.number() for _ in range(4))
        if transport == _TCP and 0 < port < 65536:
            found.append(Program(number, version, port))
    return found


def _record(line: Line, number: int) -> bytes:
    """All fragments of the answer to a call. What is no answer to it ends the talk at once."""
    whole = b""
    for _ in range(_FRAGMENTS):
        (word,) = struct.unpack(">I", line.exactly(4))
        length = word & ~_LAST
        if not whole:
            start = struct.pack(">II", number, _REPLY)
            if length < 24 or line.exactly(8) != start:
                raise Gone
            whole, length = start, length - 8
        if len(whole) + length > RECORD:
            raise Cut
        whole += line.exactly(length)
        if word & _LAST:
            return whole
    raise Cut
