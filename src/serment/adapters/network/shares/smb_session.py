"""A session on an SMB 2 or 3 server without an account: its shares, and what is in their folders.

One request at a time, nothing signed or encrypted (sessions without an account have no key,
MS-SMB2 3.3.5.5.3), nothing opened but folders and the pipe that lists shares.
Source: MS-SMB2 2.2.5 to 2.2.34.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Final

from serment.adapters.network.line import Cut, Gone, Line
from serment.adapters.network.shares import ntlm, srvsvc
from serment.adapters.network.shares.smb import HEADER, SMB2, receive, send
from serment.adapters.network.shares.walk import Entry, Refused
from serment.core.masked import Masked

SESSION, TREE, TREE_END, CREATE, CLOSE = 1, 3, 4, 5, 6
READ, IOCTL, FIND = 8, 11, 14
_MORE_PROCESSING, _PENDING, _OVERFLOW = 0xC0000016, 0x103, 0x80000005
_PENDINGS: Final = 8
_BUFFER: Final = 65536
_PAGES: Final = 4  # of one folder
_FRAGMENTS: Final = 16
_DISK: Final = 1
MAY_WRITE: Final = 0x02  # of access rights: add a file to a folder
_FOLDER: Final = 0x10  # of file attributes
_REPARSE: Final = 0x400
_TRANSCEIVE: Final = 0x0011C017  # FSCTL_PIPE_TRANSCEIVE
_LIST_RIGHTS: Final = 0x00100081  # list, read attributes, synchronize
_PIPE_RIGHTS: Final = 0x0012019F

Sign = Callable[[ntlm.Challenge], bytes]


class Session:
    """Signed in after `begin`."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._message = 1  # 0 was the hello
        self._session = self._tree = 0
        self.version = ""  # of Windows, as the server says

    def begin(self, last: Sign) -> bool:
        """Sign in with the message that `last` makes; whether that was accepted."""
        status, said = self._ask(SESSION, self._setup(ntlm.negotiate()))
        if status != _MORE_PROCESSING:
            return False
        challenge = ntlm.read_challenge(said)
        self.version = challenge.version
        status, said = self._ask(SESSION, self._setup(last(challenge)))
        return status == 0

    def shares(self) -> list[str]:
        """Names of shared folders. `Refused` when they are not told."""
        self._open_tree("IPC$")
        pipe = self._open("srvsvc", _PIPE_RIGHTS, 0)
        if not srvsvc.is_bound(self._transceive(pipe, srvsvc.bind())):
            raise Refused
        payload, ended = srvsvc.read_fragment(self._transceive(pipe, srvsvc.enumerate_shares()))
        for _ in range(_FRAGMENTS):
            if ended:
                break
            more, ended = srvsvc.read_fragment(self._read(pipe))
            payload += more
        return srvsvc.read_shares(payload)

    def open_share(self, name: str) -> bool:
        """Use a share's folders from here on; whether we may write there, as the server says.
        `Refused` when it is not ours to use."""
        said = self._open_tree(name)
        if said[66] != _DISK:
            raise Refused
        return len(said) >= 80 and bool(struct.unpack_from("<I", said, 76)[0] & MAY_WRITE)

    def show(self, folder: str) -> Iterator[Entry[str]]:
        """What is in a folder of the share; "" is the first. `Refused` when it is not shown."""
        handle = self._open(folder, _LIST_RIGHTS, 1)
        for page in range(_PAGES):
            flags = 1 if page == 0 else 0  # from the start
            star = "*".encode("utf-16-le")
            body = struct.pack("<HBBI16sHHI", 33, 1, flags, 0, handle, 96, len(star), _BUFFER)
            status, said = self._ask(FIND, body + star)
            if status:
                if page == 0:
                    raise Refused
                break
            start, length = _field(said, "<HI", 66)
            for name, is_folder in entries(said[start : start + length]):
                yield Entry(Masked(name), f"{folder}\\{name}".lstrip("\\") if is_folder else None)
        self._ask(CLOSE, struct.pack("<HHI16s", 24, 0, 0, handle))

    def _open_tree(self, name: str) -> bytes:
        """Connect to a share; the whole answer."""
        if self._tree:
            self._ask(TREE_END, struct.pack("<HH", 4, 0))
        path = f"\\\\serment\\{name}".encode("utf-16-le", "surrogatepass")
        status, said = self._ask(TREE, struct.pack("<HHHH", 9, 0, 72, len(path)) + path)
        if status or len(said) < 67:
            self._tree = 0
            raise Refused
        self._tree = HEADER.unpack_from(said)[10]
        return said

    def _open(self, name: str, rights: int, options: int) -> bytes:
        path = name.encode("utf-16-le", "surrogatepass")
        body = struct.pack(
            "<HBBIQQIIIIIHHII",
            *(57, 0, 0, 2, 0, 0, rights, 0, 7, 1, options, 120, len(path), 0, 0),
        )
        status, said = self._ask(CREATE, body + (path or b"\0\0"))
        if status or len(said) < 144:
            raise Refused
        return said[128:144]

    def _transceive(self, pipe: bytes, data: bytes) -> bytes:
        body = struct.pack(
            "<HHI16sIIIIIIII",
            *(57, 0, _TRANSCEIVE, pipe, 120, len(data), 0, 0, 0, _BUFFER, 1, 0),
        )
        status, said = self._ask(IOCTL, body + data)
        if status not in (0, _OVERFLOW):
            raise Refused
        start, length = _field(said, "<II", 96)
        return said[start : start + length]

    def _read(self, pipe: bytes) -> bytes:
        body = struct.pack("<HBBIQ16sIIIHHB", 49, 80, 0, _BUFFER, 0, pipe, 0, 0, 0, 0, 0, 0)
        status, said = self._ask(READ, body)
        if status not in (0, _OVERFLOW):
            raise Refused
        start, length = _field(said, "<BxI", 66)
        return said[start : start + length]

    @staticmethod
    def _setup(token: bytes) -> bytes:
        return struct.pack("<HBBIIHHQ", 25, 0, 1, 0, 0, 88, len(token), 0) + token

    def _ask(self, command: int, body: bytes) -> tuple[int, bytes]:
        """One request; its status and the whole answer."""
        number, self._message = self._message, self._message + 1
        header = HEADER.pack(
            *(SMB2, 64, 1, 0, command, 31, 0, 0, number, 0xFEFF, self._tree, self._session),
            bytes(16),
        )
        send(self._line, header + body)
        for _ in range(_PENDINGS):
            said = receive(self._line)
            if len(said) < HEADER.size or said[:4] != SMB2:
                raise Gone
            found = HEADER.unpack_from(said)
            if found[3] == _PENDING or found[8] != number:
                continue
            if command == SESSION:
                self._session = found[11]
            return found[3], said
        raise Cut


def entries(untrusted: bytes) -> Iterator[tuple[str, bool]]:
    """Names of a folder's page, and whether each is a folder (MS-FSCC 2.4.10)."""
    at = 0
    while at + 64 <= len(untrusted):
        onward, attributes, length = struct.unpack_from("<I52xII", untrusted, at)
        name = untrusted[at + 64 : at + 64 + length].decode("utf-16-le", "replace")
        yield name, bool(attributes & _FOLDER) and not attributes & _REPARSE
        if onward < 64:
            return
        at += onward


def _field(said: bytes, layout: str, at: int) -> tuple[int, int]:
    """Where a variable part stands and how long it is."""
    start, length = struct.unpack_from(layout, said, at)
    return start, length
