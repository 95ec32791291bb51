"""A small server that answers as Microsoft SQL Server does before a session: `python tds.py HOST PORT
VERSION ENCRYPTION [BROWSER]`.

None can be installed here; this one is written from MS-TDS 2.2.6.5 (PRELOGIN) and 3.3.5.1: whoever
sends anything else first is hung up on. VERSION as 15.0.2000, ENCRYPTION 0 (off) to 3 (required).
BROWSER: also answer on UDP 1434 that an instance listens on PORT, as MC-SQLR 2.2.5 has it.
"""

from __future__ import annotations

import socket
import socketserver
import struct
import sys
import threading

HOST, PORT = sys.argv[1], int(sys.argv[2])
MAJOR, MINOR, BUILD = map(int, sys.argv[3].split("."))
ENCRYPTION = int(sys.argv[4])
PRELOGIN, REPLY, END_OF_MESSAGE = 0x12, 0x04, 1


def answer() -> bytes:
    values = {0: struct.pack(">BBHH", MAJOR, MINOR, BUILD, 0), 1: bytes([ENCRYPTION]), 2: b"\0"}
    at, head = len(values) * 5 + 1, b""
    for token, value in values.items():
        head += struct.pack(">BHH", token, at, len(value))
        at += len(value)
    body = head + b"\xff" + b"".join(values.values())
    return struct.pack(">BBHHBB", REPLY, END_OF_MESSAGE, 8 + len(body), 0, 1, 0) + body


class Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        head = self.rfile.read(8)
        if len(head) < 8 or head[0] != PRELOGIN or not head[1] & END_OF_MESSAGE:
            return
        asked = self.rfile.read(int.from_bytes(head[2:4], "big") - 8)
        if asked[:1] == b"\0":  # the client's version comes first
            self.wfile.write(answer())
            self.rfile.read(8)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads = True, True


def browser() -> None:
    listed = (
        f"ServerName;POSTE;InstanceName;SQLEXPRESS;IsClustered;No;Version;15.0.2000.5;tcp;{PORT};;"
    )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind((HOST, 1434))
        while True:
            asked, sender = opened.recvfrom(64)
            if asked[:1] in (b"\2", b"\3"):
                said = listed.encode()
                opened.sendto(b"\5" + struct.pack("<H", len(said)) + said, sender)


def main() -> None:
    if "browser" in sys.argv:
        threading.Thread(target=browser, daemon=True).start()
    Server((HOST, PORT), Session).serve_forever()


if __name__ == "__main__":
    main()
