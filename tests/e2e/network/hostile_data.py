"""Servers that begin well, as a database or a remote access, and then mean no good.

`python hostile_data.py '{"KIND": [HOST, PORT]}'`; they never end by themselves.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
import threading
import time

from tests.e2e.network import hostile

GREETING = b"\x0a8.0.39\0" + bytes(12) + b"\0\xfe\xf7\x21\2\0\xff\x81\x15" + bytes(40)
DRIP_SECONDS = 0.3


def _drip(peer: socket.socket, piece: bytes = b"\0") -> None:
    while True:
        peer.sendall(piece)
        time.sleep(DRIP_SECONDS)


def _flood(peer: socket.socket, piece: bytes) -> None:
    while True:
        peer.sendall(piece * (65536 // len(piece)))
        time.sleep(hostile.FLOOD_SECONDS)


def mysql_flood(peer: socket.socket) -> None:
    peer.sendall(struct.pack("<I", len(GREETING)) + GREETING)
    peer.recv(4096)
    _flood(peer, b"\xff\xff\xff\2\xfe")


def mysql_drip(peer: socket.socket) -> None:
    peer.sendall(struct.pack("<I", len(GREETING)) + GREETING)
    peer.recv(4096)
    peer.sendall(b"\x40\0\0\2\0")
    _drip(peer)


def ssh_giant(peer: socket.socket) -> None:
    peer.sendall(b"SSH-2.0-OpenSSH_9.9\r\n")
    peer.recv(4096)
    _flood(peer, b"\xff\xff\xff\xff")


def ssh_drip(peer: socket.socket) -> None:
    peer.sendall(b"SSH-2.0-OpenSSH_9.9\r\n\0\0\x80\0")
    _drip(peer)


def telnet_flood(peer: socket.socket) -> None:
    peer.sendall(b"\xff\xfb\1")
    _flood(peer, b"\xff\xfd\x18")


def telnet_drip(peer: socket.socket) -> None:
    peer.sendall(b"\xff\xfb\1")
    _drip(peer, b"x")


def vnc_drip(peer: socket.socket) -> None:
    peer.sendall(b"RFB 003.008\n")
    peer.recv(4096)
    peer.sendall(b"\xff")
    _drip(peer)


def redis_giant(peer: socket.socket) -> None:
    while peer.recv(4096)[:4] != b"PING":
        peer.sendall(b"-ERR unknown command\r\n")
    peer.sendall(b"+PONG\r\n")
    peer.recv(4096)
    _flood(peer, b"$4294967295\r\n")


def postgresql_flood(peer: socket.socket) -> None:
    if peer.recv(4096)[:8] != bytes([0, 0, 0, 8, 4, 0xD2, 0x16, 0x2F]):
        return
    peer.sendall(b"N")
    peer.recv(4096)
    peer.sendall(b"R\0\0\0\x08\0\0\0\0")
    _flood(peer, b"N\0\0\0\x06x\0")


def mongodb_giant(peer: socket.socket) -> None:
    asked = peer.recv(4096)
    if len(asked) > 16 and asked[12:16] == struct.pack("<i", 2004):
        peer.sendall(struct.pack("<iiii", 0x7FFFFFFF, 1, 1, 1))
        _flood(peer, b"\0")


def mllp_endless(peer: socket.socket) -> None:
    while b"\x0b" not in (said := peer.recv(4096)):  # wherever it stands, as listeners do
        if not said:
            return
    peer.sendall(b"\x0bMSH|")
    _drip(peer, b"x")


def rdp_drip(peer: socket.socket) -> None:
    if peer.recv(4096)[:1] == b"\3":
        peer.sendall(b"\3\0\1\0")
        _drip(peer)


KINDS = {
    each.__name__: each
    for each in (
        *(mysql_flood, mysql_drip, ssh_giant, ssh_drip, telnet_flood, telnet_drip, vnc_drip),
        *(redis_giant, postgresql_flood, mongodb_giant, mllp_endless, rdp_drip),
    )
}


def main() -> None:
    hostile.KINDS.update(KINDS)
    for kind, (host, port) in json.loads(sys.argv[1]).items():
        threading.Thread(target=hostile.listen, args=(kind, host, port)).start()


if __name__ == "__main__":
    main()
