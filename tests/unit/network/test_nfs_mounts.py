"""What an audit leaves in a mount daemon's list: nothing of its own, and all of what others wrote there."""

from __future__ import annotations

import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.unit.network.calling import HOST, call

from serment.adapters.network.probes import nfs
from serment.adapters.network.probing import Heard
from serment.adapters.network.shares.nfs import MOUNT
from serment.adapters.network.shares.rpc import Reader, opaque
from serment.core.exposure.seen import Files

MNT, DUMP, UMNT = 1, 2, 3
PATHS = ["/images", "/scans"]


class Daemon(socketserver.ThreadingTCPServer):
    """A mount daemon that keeps one line for each machine and folder, as most but Linux's do: whoever
    says that a mount is over takes the line, whoever wrote it. All machines of loopback are one. NFS at
    the same port shows no folder."""

    daemon_threads = True

    def __init__(self, mounted: set[str], tells: str) -> None:
        super().__init__((HOST, 0), Connection)
        self.mounted, self.tells = mounted, tells
        self.asked: list[int] = []

    def answer(self, program: int, procedure: int, words: Reader) -> bytes | None:
        if program != MOUNT:
            return struct.pack(">II", 70, 0)
        self.asked.append(procedure)
        if procedure == MNT:
            self.mounted.add(words.text())
            return struct.pack(">I", 0) + opaque(b"handle") + struct.pack(">I", 0)
        if procedure == UMNT:
            self.mounted.discard(words.text())
            return b""
        return self._list()

    def _list(self) -> bytes | None:
        lines = b"".join(
            struct.pack(">I", 1) + opaque(b"127.0.0.1") + opaque(path.encode())
            for path in sorted(self.mounted)
        )
        return {
            "all": lines + bytes(4),
            "without end": lines * 3000 + bytes(4),
            "cut": lines + struct.pack(">II", 1, 99),
            "nothing": None,
        }[self.tells]


class Connection(socketserver.StreamRequestHandler):
    """Calls of RPC over TCP (RFC 5531), each in one fragment."""

    server: Daemon

    def handle(self) -> None:
        while head := self.rfile.read(4):
            said = Reader(self.rfile.read(struct.unpack(">I", head)[0] & 0x7FFFFFFF))
            number, _, _, program, _, procedure, _ = (said.number() for _ in range(7))
            said.opaque()
            said.skip(8)
            answer = self.server.answer(program, procedure, said)
            if answer is None:
                return
            body = struct.pack(">IIIIII", number, 1, 0, 0, 0, 0) + answer
            self.wfile.write(struct.pack(">I", 0x80000000 | len(body)) + body)


@contextmanager
def daemon(*mounted: str, tells: str = "all") -> Iterator[Daemon]:
    with Daemon(set(mounted), tells) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


def audited(server: Daemon) -> None:
    port = server.server_address[1]
    asked = call(port)
    asked.understood()
    asked.heard = Heard("nfs", facts=Files())
    try:
        nfs._mount(asked, port, PATHS, port)
    finally:
        asked.close()


def test_a_folder_that_nobody_had_mounted_is_left_again() -> None:
    with daemon() as server:
        audited(server)
        assert server.mounted == set()
        assert server.asked == [DUMP, MNT, MNT, UMNT, UMNT]


def test_a_mount_of_somebody_else_keeps_its_line() -> None:
    with daemon("/scans", "/other") as server:
        audited(server)
        assert server.mounted == {"/scans", "/other"}
        assert server.asked == [DUMP, MNT, MNT, UMNT]


@pytest.mark.parametrize("tells", ["nothing", "without end", "cut"])
def test_where_the_list_is_not_told_nothing_is_taken_from_it(tells: str) -> None:
    with daemon("/scans", tells=tells) as server:
        audited(server)
        assert server.mounted == {"/images", "/scans"}
        assert UMNT not in server.asked
