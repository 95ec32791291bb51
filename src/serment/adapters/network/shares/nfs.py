"""NFS as a stranger asks it: who may mount what, and what is in the folders of whoever may.

Version 3 by way of the mount daemon, version 4.0 by its first folder; as nobody in particular,
from a port without privilege. Nothing is opened. The mount daemon notes who mounted what; telling it that
a mount is over takes the line of whoever of the same machine really has it mounted along with ours, so it
is told only of folders that nobody had mounted before.
Source: RFC 1813 (NFS 3 and its mount protocol), RFC 7530 (NFS 4.0).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from serment.adapters.network.shares.rpc import Client, Reader, Unavailable, opaque
from serment.adapters.network.shares.walk import ENTRIES, Entry, Refused
from serment.core.masked import Masked

NFS, MOUNT = 100003, 100005
EXPORTS: Final = 64  # of one server
_GROUPS: Final = 200  # of one export
_MOUNTS: Final = 2000  # of one server
_EVERYBODY: Final = frozenset({"*", "(everyone)", "everyone", "0.0.0.0/0", "::/0", "*.*.*.*"})
_ANY_MASK: Final = re.compile(r"0\.0\.0\.0/0\.0\.0\.0|.*/0")
_NETWORK: Final = re.compile(r"[*?]|/\d")
_MNT, _DUMP, _UMNT, _EXPORT = 1, 2, 3, 5
_ACCESS, _READDIRPLUS, _COMPOUND = 4, 17, 1
_MAY_WRITE: Final = 0x04 | 0x08  # change and add entries (RFC 1813 section 3.3.4)
_PAGE: Final = 32 * 1024
_PAGES: Final = 16
_FOLDER: Final = 2  # of a file's kinds, in both versions
_ATTRIBUTES: Final = 84  # bytes of fattr3
_HANDLE_3, _HANDLE_4 = 64, 128
_PUT_HANDLE, _PUT_ROOT, _READ_FOLDER = 22, 24, 26
_KIND_AND_HANDLE: Final = 1 << 1 | 1 << 19  # attributes asked of each entry (RFC 7530 section 5)
_KIND: Final = 1 << 1


@dataclass(frozen=True, slots=True)
class Export:
    """A folder that may be mounted, and by whom."""

    path: str
    to_everybody: bool
    to_networks: bool  # or to names with a wildcard


def exports(mount: Client, version: int) -> list[Export]:
    """What the mount daemon says may be mounted."""
    said = mount.ask(MOUNT, version, _EXPORT)
    found = []
    for _ in range(EXPORTS):
        if not said.number():
            break
        path, groups = said.text(), []
        for _ in range(_GROUPS):
            if not said.number():
                break
            groups.append(said.text().lower())
        to_everybody = not groups or any(map(_is_everybody, groups))
        to_networks = any(_NETWORK.search(each) for each in groups)
        found.append(Export(path, to_everybody, to_networks))
    return found


def mounted(mount: Client, path: str) -> bytes:
    """The handle of an export's folder (version 3). `Refused` when it is not given to us."""
    said = mount.ask(MOUNT, 3, _MNT, _path(path))
    if said.number():
        raise Refused
    return said.opaque(_HANDLE_3)


def in_use(mount: Client) -> frozenset[str] | None:
    """The folders that somebody mounted, as the daemon noted it (RFC 1813 section 5.2.2); None when it
    tells more than is read here. By whom is forgotten at once."""
    said = mount.ask(MOUNT, 3, _DUMP)
    found: set[str] = set()
    for _ in range(_MOUNTS):
        if not said.number():
            return frozenset(found)
        said.opaque(1024)
        found.add(said.text())
    return None


def unmounted(mount: Client, path: str) -> None:
    """Say that the mount is over."""
    mount.ask(MOUNT, 3, _UMNT, _path(path))


class Third:
    """Folders in NFS 3; handles are the keys."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def is_writable(self, handle: bytes) -> bool:
        """Whether we might write in a folder, as the server says; it is not tried."""
        said = self._client.ask(NFS, 3, _ACCESS, opaque(handle) + struct.pack(">I", _MAY_WRITE))
        if said.number():
            return False
        _optional(said)
        return bool(said.number() & _MAY_WRITE)

    def show(self, handle: bytes) -> Iterator[Entry[bytes]]:
        """What is in a folder. `Refused` when it is not shown."""
        cookie, verifier = 0, bytes(8)
        for _ in range(_PAGES):
            words = struct.pack(">Q8sII", cookie, verifier, _PAGE, _PAGE)
            said = self._client.ask(NFS, 3, _READDIRPLUS, opaque(handle) + words)
            if said.number():
                raise Refused
            _optional(said)
            verifier = said.fixed(8)
            for _ in range(ENTRIES):
                if not said.number():
                    break
                said.long()
                name, cookie = said.text(), said.long()
                kind = _optional(said)
                inside = said.opaque(_HANDLE_3) if said.number() else None
                yield Entry(Masked(name), inside if kind == _FOLDER else None)
            if said.number():
                return


class Fourth:
    """Folders in NFS 4.0; the first one's key is b""."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.files = 0  # that are no folders

    def show(self, handle: bytes) -> Iterator[Entry[bytes]]:
        """What is in a folder. `Refused` when it is not shown."""
        cookie, verifier = 0, bytes(8)
        for _ in range(_PAGES):
            said = self._page(handle, cookie, verifier)
            verifier = said.fixed(8)
            for _ in range(ENTRIES):
                if not said.number():
                    break
                cookie, name = said.long(), said.text()
                inside = _attributes(said)
                self.files += inside is None
                yield Entry(Masked(name), inside)
            if said.number():
                return

    def _page(self, handle: bytes, cookie: int, verifier: bytes) -> Reader:
        """One answer, at the folder's list."""
        go = (
            struct.pack(">I", _PUT_HANDLE) + opaque(handle)
            if handle
            else struct.pack(">I", _PUT_ROOT)
        )
        read = struct.pack(">IQ8sII", _READ_FOLDER, cookie, verifier, _PAGE, _PAGE)
        asked = struct.pack(">II", 1, _KIND_AND_HANDLE)
        words = opaque(b"") + struct.pack(">II", 0, 2) + go + read + asked
        said = self._client.ask(NFS, 4, _COMPOUND, words)
        if said.number():
            raise Refused
        said.opaque(64)
        if said.number() != 2:
            raise Refused
        said.skip(16)  # both operations, each with its status: nothing failed
        return said


def _attributes(said: Reader) -> bytes | None:
    """The handle of an entry that is a folder."""
    words = [said.number() for _ in range(min(said.number(), 8))]
    values = Reader(said.opaque())
    if not words or not words[0] & _KIND or values.number() != _FOLDER:
        return None
    return values.opaque(_HANDLE_4) if words[0] & (1 << 19) else None


def _optional(said: Reader) -> int:
    """The kind that attributes tell, 0 when there are none (post_op_attr, RFC 1813 section 2.6)."""
    if not said.number():
        return 0
    return int(struct.unpack(">I", said.fixed(_ATTRIBUTES)[:4])[0])


def _is_everybody(group: str) -> bool:
    return group in _EVERYBODY or _ANY_MASK.fullmatch(group) is not None


def _path(path: str) -> bytes:
    return opaque(path.encode("utf-8", "surrogateescape"))


__all__ = [
    "Export", "Fourth", "Third", "Unavailable", "exports", "in_use", "mounted", "unmounted",
]  # fmt: skip
