"""An rsync client for strangers' daemons: lists modules and their files, and takes nothing.

It speaks protocol 29, whose list of files every later daemon still sends. What is too deep is
excluded by a rule that the daemon applies itself; the list ends the talk.
Source: rsync's own description (rsyncd.conf(5), "THE RSYNC DAEMON" and csprotocol.txt), and what
a daemon of version 3 sends (flist.c's order of fields).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import Final

from serment.adapters.network.line import Cut, Gone, Line
from serment.adapters.network.shares.walk import DEPTH, Refused

HELLO: Final = b"@RSYNCD: "
MODULES: Final = 16
FILES: Final = 5000  # of one module's list
_PROTOCOL: Final = b"@RSYNCD: 29.0\n"
_LINE: Final = 1024
_LINES: Final = 300
_NAME: Final = 4096
_BASE: Final = 7  # of the tags of frames
_VERSION: Final = re.compile(rb"@RSYNCD: (\d{1,3})(?:\.\d{1,3})?(?: [\w -]*)?\r?\n")
_FOLDER: Final = 0o040000
_KIND: Final = 0o170000
# What a field of the list leaves out, as it is like the one before.
_SAME_MODE, _MORE_FLAGS, _SAME_NAME, _LONG_NAME, _SAME_TIME = 0x02, 0x04, 0x20, 0x40, 0x80


def greet(line: Line) -> int | None:
    """Exchange greetings; the daemon's protocol, None when it is no rsync daemon."""
    found = _VERSION.fullmatch(line.until(b"\n", _LINE))
    if found is None:
        return None
    line.send(_PROTOCOL)
    return int(found[1])


def modules(line: Line) -> list[str]:
    """After `greet`: names of the modules that are not hidden. What is said of them is dropped."""
    line.send(b"#list\n")
    found: list[str] = []
    for _ in range(_LINES):
        said = line.until(b"\n", _LINE)
        if said.startswith(b"@ERROR"):
            raise Refused
        if said.startswith(b"@RSYNCD: EXIT"):
            return found[:MODULES]
        name, tab, _ = said.decode("utf-8", "surrogateescape").rstrip("\r\n").partition("\t")
        if tab and _is_safe(name.rstrip()):
            found.append(name.rstrip())
    raise Cut


def open_module(line: Line, name: str) -> None:
    """After `greet`: choose a module. `Refused` when it wants a password or another address."""
    line.send(_bytes(name) + b"\n")
    for _ in range(_LINES):
        said = line.until(b"\n", _LINE)  # others are what the daemon tells everybody
        if said.startswith(b"@RSYNCD: OK"):
            return
        if said.startswith((b"@ERROR", b"@RSYNCD: ")):
            raise Refused
    raise Cut


def files(line: Line, name: str) -> Iterator[str]:
    """After `open_module`: names of the files that are not too deep, with their folders."""
    words = ("--server", "--sender", "-r", ".", f"{name}/")
    line.send(b"".join(_bytes(word) + b"\n" for word in words) + b"\n")
    rule = "- " + "/*" * (DEPTH + 2)
    line.send(struct.pack("<i", len(rule)) + rule.encode() + struct.pack("<i", 0))
    line.exactly(4)  # the seed of check sums
    return _listed(_Frames(line))


class _Frames:
    """The daemon's bytes, without what it says to the user in between."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._ahead = bytearray()

    def take(self, count: int) -> bytes:
        while len(self._ahead) < count:
            (word,) = struct.unpack("<I", self._line.exactly(4))
            kind, length = (word >> 24) - _BASE, word & 0xFFFFFF
            if kind < 0:
                raise Gone
            data = self._line.exactly(length)
            if kind == 0:
                self._ahead += data
        taken = bytes(self._ahead[:count])
        del self._ahead[:count]
        return taken

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self) -> int:
        return int(struct.unpack("<i", self.take(4))[0])


def _listed(frames: _Frames) -> Iterator[str]:
    before, mode = b"", 0
    for _ in range(FILES):
        flags = frames.byte()
        if not flags:
            return
        if flags & _MORE_FLAGS:
            frames.byte()
        same = frames.byte() if flags & _SAME_NAME else 0
        length = frames.number() if flags & _LONG_NAME else frames.byte()
        if not 0 < length + same <= _NAME or length < 0:
            raise Gone
        before = before[:same] + frames.take(length)
        if frames.number() == -1:  # the size; -1 when it stands in the next eight bytes
            frames.take(8)
        if not flags & _SAME_TIME:
            frames.take(4)
        if not flags & _SAME_MODE:
            mode = frames.number()
        if mode & _KIND != _FOLDER:
            yield before.decode("utf-8", "replace")
    raise Cut


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _is_safe(name: str) -> bool:
    """Whether a name can be said again without ending a line or being an option."""
    return 0 < len(name) < 200 and not re.search(r"[\x00-\x1f\x7f/]|^[#@-]", name)
