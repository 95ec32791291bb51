"""AFP over DSI, as a guest: what a Mac's or NAS's server says of itself, its volumes, its folders.

Nothing is opened but volumes and folders. Source: Apple's "Apple Filing Protocol Reference"
(FPGetSrvrInfo, FPLogin with "No User Authent", FPGetSrvrParms, FPOpenVol, FPEnumerateExt2) and
"Data Stream Interface".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from serment.adapters.network.line import Cut, Gone, Line
from serment.adapters.network.shares.walk import Entry, Refused
from serment.core.masked import Masked

GUEST: Final = b"No User Authent"
VOLUMES: Final = 16
_HEADER: Final = struct.Struct(">BBHiII")
_LARGEST: Final = 128 * 1024  # bytes of one answer
_STATUS, _OPEN_SESSION, _COMMAND, _TICKLE, _CLOSE_SESSION = 3, 4, 2, 5, 1
_LOGIN, _PARAMETERS, _OPEN_VOLUME, _ENUMERATE, _LOGOUT = 18, 16, 24, 68, 20
_OTHERS: Final = 10  # what the server says unasked
_NEWEST: Final = (b"AFP3.4", b"AFP3.3", b"AFP3.2", b"AFP3.1", b"AFPX03")
_VOLUME_ID: Final = 0x20
_NODE, _NAME = 0x0100, 0x2000  # what is asked of each entry: its number, its name
_FIRST_FOLDER: Final = 2
_BATCH: Final = 200
_BATCHES: Final = 10


@dataclass(frozen=True, slots=True)
class Status:
    """What a server says of itself before anybody has signed in."""

    machine: str
    versions: tuple[bytes, ...]
    ways: tuple[bytes, ...]  # to sign in

    @property
    def version(self) -> bytes:
        """The newest version that is spoken here; b"" when there is none."""
        return next((each for each in _NEWEST if each in self.versions), b"")


class Session:
    """One connection; `status` may be asked before `begin`."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._number = 0

    def status(self) -> Status:
        """Ask without a session. `Gone` when it is no AFP server."""
        error, said = self._ask(_STATUS, b"")
        if error or len(said) < 10:
            raise Gone
        machine, versions, ways = struct.unpack_from(">HHH", said)
        return Status(
            _pascal(said, machine)[0].decode("ascii", "replace"),
            tuple(_list(said, versions)),
            tuple(_list(said, ways)),
        )

    def begin(self, version: bytes) -> bool:
        """Sign in as the guest; whether that was accepted."""
        self._ask(_OPEN_SESSION, struct.pack(">BBI", 1, 4, 1024))
        words = bytes([_LOGIN]) + _string(version) + _string(GUEST)
        return self._ask(_COMMAND, words)[0] == 0

    def volumes(self) -> list[bytes]:
        """Names of the volumes. `Refused` when they are not told."""
        said = self._command(bytes([_PARAMETERS, 0]))
        found, at = [], 5
        for _ in range(min(said[4], VOLUMES)):
            name, at = _pascal(said, at + 1)
            found.append(name)
        return found

    def open_volume(self, name: bytes) -> int:
        """A volume's number. `Refused` when it is not the guest's."""
        said = self._command(struct.pack(">BBH", _OPEN_VOLUME, 0, _VOLUME_ID) + _string(name))
        return int(struct.unpack_from(">H", said, 2)[0])

    def show(self, key: tuple[int, int]) -> Iterator[Entry[tuple[int, int]]]:
        """What is in a folder, which is a volume's number and its own. `Refused` if not shown."""
        volume, folder = key
        begin = 1
        for _ in range(_BATCHES):
            words = struct.pack(
                ">BBHIHHHIIBIH",
                *(_ENUMERATE, 0, volume, folder, _NODE | _NAME, _NODE | _NAME),
                *(_BATCH, begin, 32 * 1024, 3, 0, 0),
            )
            try:
                found = entries(self._command(words))
            except Refused:
                if begin == 1:
                    raise
                return
            for name, inside in found:
                yield Entry(Masked(name), (volume, inside) if inside else None)
            begin += len(found)
            if not found:
                return

    def end(self) -> None:
        """Sign out."""
        self._ask(_COMMAND, bytes([_LOGOUT, 0]))

    def _command(self, words: bytes) -> bytes:
        error, said = self._ask(_COMMAND, words)
        if error:
            raise Refused
        return said

    def _ask(self, command: int, words: bytes) -> tuple[int, bytes]:
        """One request; its error (0 for none) and what is answered."""
        self._number += 1
        self._line.send(_HEADER.pack(0, command, self._number, 0, len(words), 0) + words)
        for _ in range(_OTHERS):
            flags, kind, number, error, length, _ = _HEADER.unpack(self._line.exactly(_HEADER.size))
            if flags > 1 or not 0 < kind < 9:
                raise Gone
            if length > _LARGEST:
                raise Cut
            said = self._line.exactly(length)
            if flags and number == self._number and kind == command:
                return error, said
        raise Cut


def entries(untrusted: bytes) -> list[tuple[str, int]]:
    """Names of a folder's answer, with the number of each that is a folder, else 0.

    Raises:
        struct.error, ValueError, IndexError: it is not understood.
    """
    count = struct.unpack_from(">H", untrusted, 4)[0]
    found, at = [], 6
    for _ in range(count):
        length, is_folder = struct.unpack_from(">HB", untrusted, at)
        one = untrusted[at + 4 : at + length]
        node, offset = struct.unpack_from(">IH", one)
        size = struct.unpack_from(">H", one, offset + 4)[0]
        name = one[offset + 6 : offset + 6 + size].decode("utf-8", "replace")
        found.append((name, node if is_folder & 0x80 else 0))
        if length < 4:
            raise ValueError
        at += length
    return found


def _pascal(said: bytes, at: int) -> tuple[bytes, int]:
    """A string with its length in front, and where it ends."""
    end = at + 1 + said[at]
    if end > len(said):
        raise ValueError
    return said[at + 1 : end], end


def _list(said: bytes, at: int) -> Iterator[bytes]:
    count, at = said[at], at + 1
    for _ in range(count):
        text, at = _pascal(said, at)
        yield text


def _string(text: bytes) -> bytes:
    return bytes([min(len(text), 255)]) + text[:255]
