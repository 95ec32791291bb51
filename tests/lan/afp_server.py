"""A small AFP server, as Apple's reference describes one: `python afp_server.py HOST PORT FOLDER GUEST`.

Debian 12 has no AFP server; this one answers what a guest asks, over the files of a folder.
"""

from __future__ import annotations

import socketserver
import struct
import sys
from pathlib import Path

HEADER = struct.Struct(">BBHiII")
DENIED, NOT_THERE = -5023, -5018


def pascal(text: str) -> bytes:
    return bytes([len(text)]) + text.encode()


def status(ways: list[str]) -> bytes:
    """FPGetSrvrInfo: offsets, flags, the name, then what the offsets name."""
    machine = pascal("Netatalk3.1.13")
    versions = b"\x02" + pascal("AFP2.2") + pascal("AFP3.3")
    name = pascal("cabinet")
    start = 10 + len(name)
    head = struct.pack(">HHHHH", start, start + len(machine), 0, 0, 0x8000)
    head = head[:4] + struct.pack(">H", start + len(machine) + len(versions)) + head[6:]
    return head + name + machine + versions + bytes([len(ways)]) + b"".join(map(pascal, ways))


class Server(socketserver.BaseRequestHandler):
    folder: Path
    guest: bool
    numbers: dict[int, Path]

    def handle(self) -> None:
        self.inside = False
        while head := self.request.recv(HEADER.size, 0x100):  # MSG_WAITALL
            _, command, number, _, length, _ = HEADER.unpack(head)
            words = self.request.recv(length, 0x100) if length else b""
            error, said = self.answer(command, words)
            self.request.sendall(HEADER.pack(1, command, number, error, len(said), 0) + said)

    def answer(self, command: int, words: bytes) -> tuple[int, bytes]:
        if command == 3:
            return 0, status(["DHX2"] + ["No User Authent"] * self.guest)
        if command == 4:
            return 0, b""
        return {18: self.login, 16: self.volumes, 24: self.volume, 68: self.show, 20: self.out}[
            words[0]
        ](words)

    def login(self, words: bytes) -> tuple[int, bytes]:
        self.inside = self.guest and words[1:] == pascal("AFP3.3") + pascal("No User Authent")
        return (0 if self.inside else DENIED), b""

    def out(self, words: bytes) -> tuple[int, bytes]:
        return 0, b""

    def volumes(self, words: bytes) -> tuple[int, bytes]:
        return 0, struct.pack(">IB", 0, 2) + b"\0" + pascal("Radios") + b"\x80" + pascal("Secret")

    def volume(self, words: bytes) -> tuple[int, bytes]:
        if not self.inside or words[4:] != pascal("Radios"):
            return DENIED, b""
        return 0, struct.pack(">HH", 0x20, 7)

    def show(self, words: bytes) -> tuple[int, bytes]:
        _, _, volume, number, files, folders, most, begin, _, kind, _, _ = struct.unpack(
            ">BBHIHHHIIBIH", words
        )
        assert (volume, files, folders, kind) == (7, 0x2100, 0x2100, 3)
        found = sorted(self.numbers[number].iterdir())[begin - 1 :][:most]
        if not found:
            return NOT_THERE, b""
        return 0, struct.pack(">HHH", files, folders, len(found)) + b"".join(map(self.entry, found))

    def entry(self, path: Path) -> bytes:
        number = next((key for key, each in self.numbers.items() if each == path), 0)
        if not number:
            number = max(self.numbers) + 1
            self.numbers[number] = path
        name = path.name.encode()
        one = struct.pack(">IHI", number, 10, 0) + struct.pack(">IH", 0, len(name)) + name
        one += bytes(len(one) % 2)
        return struct.pack(">HBB", 4 + len(one), 0x80 * path.is_dir(), 0) + one


def main() -> None:
    host, port, folder, guest = sys.argv[1:]
    Server.folder, Server.guest = Path(folder), guest == "yes"
    Server.numbers = {2: Server.folder}
    socketserver.ThreadingTCPServer.daemon_threads = True
    socketserver.ThreadingTCPServer((host, int(port)), Server).serve_forever()


if __name__ == "__main__":
    main()
