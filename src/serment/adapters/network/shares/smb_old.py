"""A session on a server that speaks SMB 1 only, without an account: the same as `smb_session`.

Old NAS and scanners are such servers. Nothing is signed, as there is no key; nothing is opened but
folders and the pipe that lists shares.
Source: MS-CIFS 2.2.4 (commands), 2.2.6 (TRANS2), 2.2.8.1 (levels); MS-SMB 2.2.4 (extended security).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from serment.adapters.network.line import Cut, Gone, Line
from serment.adapters.network.shares import ntlm, srvsvc
from serment.adapters.network.shares.smb import SMB1, receive, send
from serment.adapters.network.shares.smb_session import MAY_WRITE, Sign, entries
from serment.adapters.network.shares.walk import Entry, Refused
from serment.core.masked import Masked

HEADER: Final = struct.Struct("<4sBIBHH8sHHHHH")
_TRANS, _TRANS2, _SESSION, _TREE, _TREE_END, _CREATE = 0x25, 0x32, 0x73, 0x75, 0x71, 0xA2
_FIND_FIRST, _FIND_NEXT, _TRANSACT_PIPE = 0x01, 0x02, 0x26
_MORE_PROCESSING: Final = 0xC0000016
_FLAGS, _FLAGS2 = 0x18, 0xC803  # Unicode, NT status codes, extended security, long names
_CAN: Final = 0x80000000 | 0x4 | 0x8 | 0x10 | 0x40
_BUFFER: Final = 16384
_LEVEL: Final = 0x101  # SMB_FIND_FILE_DIRECTORY_INFO, as SMB 2 has it
_PIPE_RIGHTS: Final = 0x0012019F
_PAGES: Final = 20
_NOT_LAST: Final = 4  # answers to other questions
_NO_MORE: Final = b"\xff\0\0\0"  # no command follows in the same message


class OldSession:
    """Signed in after `begin`."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._number = 1
        self._user = self._tree = 0
        self.version = ""

    def begin(self, last: Sign) -> bool:
        """As `smb_session.Session.begin`."""
        status, said = self._sign(ntlm.negotiate())
        if status != _MORE_PROCESSING:
            return False
        challenge = ntlm.read_challenge(said)
        self.version = challenge.version
        return self._sign(last(challenge))[0] == 0

    def shares(self) -> list[str]:
        """Names of shared folders. `Refused` when they are not told."""
        self._open_tree("IPC$")
        pipe = self._open_pipe("\\srvsvc")
        if not srvsvc.is_bound(self._transceive(pipe, srvsvc.bind())):
            raise Refused
        payload, ended = srvsvc.read_fragment(self._transceive(pipe, srvsvc.enumerate_shares()))
        if not ended:
            raise Refused  # more shares than a practice has
        return srvsvc.read_shares(payload)

    def open_share(self, name: str) -> bool:
        """As `smb_session.Session.open_share`."""
        said = self._open_tree(name)
        if not _data(said).startswith(b"A:"):
            raise Refused
        words = said[HEADER.size]
        return words >= 5 and bool(struct.unpack_from("<I", said, HEADER.size + 7)[0] & MAY_WRITE)

    def show(self, folder: str) -> Iterator[Entry[str]]:
        """What is in a folder of the share; "" is the first. `Refused` when it is not shown."""
        pattern = f"\\{folder}\\*" if folder else "\\*"
        words = struct.pack("<HHHHI", 0x16, 200, 0x06, _LEVEL, 0) + _text(pattern)
        known, page = self._transact(_TRANS2, (_FIND_FIRST,), b"", words, b"")
        search, _, ended = struct.unpack_from("<HHH", known)
        for _ in range(_PAGES):
            last = ""
            for name, is_folder in entries(page):
                last = name
                yield Entry(Masked(name), f"{folder}\\{name}".lstrip("\\") if is_folder else None)
            if ended or not last:
                return
            words = struct.pack("<HHHIH", search, 200, _LEVEL, 0, 0x06) + _text(last)
            known, page = self._transact(_TRANS2, (_FIND_NEXT,), b"", words, b"")
            _, ended = struct.unpack_from("<HH", known)

    def _sign(self, token: bytes) -> tuple[int, bytes]:
        """One message of signing in; its status and what comes with the answer."""
        parameters = _NO_MORE + struct.pack("<HHHIHII", _BUFFER, 1, 0, 0, len(token), 0, _CAN)
        status, said = self._ask(_SESSION, parameters, token + bytes(1 - len(token) % 2) + bytes(4))
        self._user = HEADER.unpack_from(said)[10]
        return status, said[HEADER.size :]

    def _open_tree(self, name: str) -> bytes:
        """Connect to a share; the whole answer."""
        if self._tree:
            self._ask(_TREE_END, b"", b"")
        path = _text(f"\\\\serment\\{name}")
        status, said = self._ask(
            _TREE, _NO_MORE + struct.pack("<HH", 8, 1), b"\0" + path + b"?????\0"
        )
        self._tree = 0 if status else HEADER.unpack_from(said)[8]
        if status:
            raise Refused
        return said

    def _open_pipe(self, name: str) -> int:
        path = _text(name)
        parameters = _NO_MORE + struct.pack(
            "<xHIIIQIIIIIB",
            *(len(path) - 2, 0, 0, _PIPE_RIGHTS, 0, 0, 7, 1, 0, 2, 0),
        )
        status, said = self._ask(_CREATE, parameters, b"\0" + path)
        if status:
            raise Refused
        return int(struct.unpack_from("<H", said, HEADER.size + 6)[0])

    def _transceive(self, pipe: int, data: bytes) -> bytes:
        setup = (_TRANSACT_PIPE, pipe)
        return self._transact(_TRANS, setup, _text("\\PIPE\\"), b"", data)[1]

    def _transact(
        self, command: int, setup: tuple[int, ...], name: bytes, words: bytes, data: bytes
    ) -> tuple[bytes, bytes]:
        """One transaction; the parameters and the data of its answer. `Refused` when it failed."""
        start = HEADER.size + 1 + 28 + 2 * len(setup) + 2
        name = bytes(start % 2) + name if name else b"\0"
        at = start + len(name)
        gap = -at % 4
        first = at + gap
        second = first + len(words) + -len(words) % 4
        parameters = struct.pack(
            "<HHHHBBHIHHHHHBB",
            *(len(words), len(data), 16, _BUFFER - 512, 0, 0, 0, 0, 0),
            *(len(words), first, len(data), second, len(setup), 0),
        ) + struct.pack(f"<{len(setup)}H", *setup)
        body = name + bytes(gap) + words + bytes(-len(words) % 4) + data
        status, said = self._ask(command, parameters, body)
        if status or said[HEADER.size] < 10:
            raise Refused
        count, place, _, size, where = struct.unpack_from("<HHHHH", said, HEADER.size + 7)
        return said[place : place + count], said[where : where + size]

    def _ask(self, command: int, parameters: bytes, data: bytes) -> tuple[int, bytes]:
        """One request; its status and the whole answer."""
        self._number += 1
        header = HEADER.pack(
            *(SMB1, command, 0, _FLAGS, _FLAGS2, 0, bytes(8), 0),
            *(self._tree, 0xFEFF, self._user, self._number),
        )
        counted = bytes([len(parameters) // 2]) + parameters + struct.pack("<H", len(data)) + data
        send(self._line, header + counted)
        for _ in range(_NOT_LAST):
            said = receive(self._line)
            if len(said) < HEADER.size + 3 or said[:4] != SMB1:
                raise Gone
            found = HEADER.unpack_from(said)
            if found[1] == command and found[11] == self._number:
                return found[2], said
        raise Cut


def _data(said: bytes) -> bytes:
    """What stands after the parameters of an answer."""
    return said[HEADER.size + 1 + 2 * said[HEADER.size] + 2 :]


def _text(text: str) -> bytes:
    return text.encode("utf-16-le", "surrogatepass") + b"\0\0"
