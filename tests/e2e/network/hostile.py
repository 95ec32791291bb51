"""Servers that mean no good, one kind for each way: `python hostile.py '{"KIND": [HOST, PORT]}'`.

They never end by themselves; the test ends the process.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable

DRIP_SECONDS = 0.3
FLOOD_SECONDS = (
    0.002  # between two pieces of what has no end: the tests' machine has others to serve
)


def garbage(peer: socket.socket) -> None:
    """Random bytes, whatever is said."""
    peer.sendall(os.urandom(600))
    while peer.recv(4096):
        peer.sendall(os.urandom(600))


def silent(peer: socket.socket) -> None:
    while peer.recv(65536):
        pass


def tarpit(peer: socket.socket) -> None:
    """One byte from time to time, for ever."""
    while True:
        peer.sendall(b"x")
        time.sleep(DRIP_SECONDS)


def endless_banner(peer: socket.socket) -> None:
    while True:
        peer.sendall(b"220 " + b"A" * 65536)
        time.sleep(FLOOD_SECONDS)


def long_dicom(peer: socket.socket) -> None:
    """An association answer of 4 GiB, and as many bytes as are taken."""
    peer.recv(65536)
    peer.sendall(b"\x02\0" + struct.pack(">I", 0xFFFFFFF0))
    while True:
        peer.sendall(bytes(65536))
        time.sleep(FLOOD_SECONDS)


def slow_reject(peer: socket.socket) -> None:
    """A length that is possible, and a body that never comes."""
    peer.recv(65536)
    peer.sendall(b"\x02\0" + struct.pack(">I", 300))
    while True:
        peer.sendall(b"\0")
        time.sleep(DRIP_SECONDS)


def endless_association(peer: socket.socket) -> None:
    """Accepts everything and answers a query with one pending response after another, slowly,
    without ever a data set."""
    peer.sendall(_accept(peer.recv(65536)))
    peer.recv(65536)
    while True:
        peer.sendall(b"\x04\0" + struct.pack(">I", 6) + struct.pack(">IBB", 2, 3, 1))
        time.sleep(DRIP_SECONDS / 10)


def _accept(request: bytes) -> bytes:
    items = b""
    for number in range(12):
        syntax = b"\x40\0" + struct.pack(">H", 17) + b"1.2.840.10008.1.2"
        items += b"\x21\0" + struct.pack(">H", 4 + len(syntax)) + bytes([2 * number + 1, 0, 0, 0])
        items += syntax
    items += b"\x50\0" + struct.pack(">H", 8) + b"\x51\0\0\x04" + struct.pack(">I", 16384)
    body = request[6:74] + items
    return b"\x02\0" + struct.pack(">I", len(body)) + body


def stalled_tls(peer: socket.socket) -> None:
    """Begins a handshake and goes on for ever."""
    while peer.recv(65536)[:1] not in (b"\x16", b""):
        pass
    peer.sendall(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")
    while True:
        peer.sendall(b"\0")
        time.sleep(DRIP_SECONDS)


EVIL = "\x1b]0;owned\x07\x1b[31m<script>alert(1)</script>\u202e\x9b2J"


def evil_banner(peer: socket.socket) -> None:
    """Says it is FTP, with an escape sequence and markup."""
    peer.sendall(f"220 vsFTPd 3.0.3 {EVIL}\r\n".encode())
    while peer.recv(4096):
        peer.sendall(f"530 {EVIL}\r\n".encode())


def evil_ssh(peer: socket.socket) -> None:
    peer.sendall(f"SSH-2.0-OpenSSH_9.2 {EVIL}\r\n".encode())
    while peer.recv(4096):
        peer.sendall(os.urandom(64))


def silent_after_accept(peer: socket.socket) -> None:
    """A DICOM association that is accepted, and nothing more, for ever."""
    peer.sendall(_accept(peer.recv(65536)))
    silent(peer)


def byte_by_byte(peer: socket.socket) -> None:
    """HTTP of which one byte comes from time to time."""
    peer.recv(65536)
    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + b"x" * 900:
        peer.sendall(bytes([byte]))
        time.sleep(DRIP_SECONDS)


def _web(answer: Callable[[socket.socket, bytes], None]) -> Callable[[socket.socket], None]:
    def serve(peer: socket.socket) -> None:
        while request := peer.recv(65536):
            if not request.startswith((b"GET", b"OPTIONS", b"PROPFIND", b"POST")):
                return
            answer(peer, request)

    return serve


def _redirect_loop(peer: socket.socket, request: bytes) -> None:
    path = request.split()[1]
    peer.sendall(
        b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + path[:1000] + b"x\r\n\r\n"
    )


BOMB = gzip.compress(bytes(64 << 20))


def _bomb(peer: socket.socket, _request: bytes) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(BOMB)}\r\n\r\n"
    peer.sendall(head.encode() + BOMB)


def _endless(peer: socket.socket, _request: bytes) -> None:
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
    while True:
        peer.sendall(b"<p>" * 20000)
        time.sleep(FLOOD_SECONDS)


def _dripping(peer: socket.socket, _request: bytes) -> None:
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4294967296\r\n\r\n")
    tarpit(peer)


def _endless_headers(peer: socket.socket, _request: bytes) -> None:
    peer.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        peer.sendall(b"X: " + b"y" * 4000 + b"\r\n")
        time.sleep(FLOOD_SECONDS)


def _huge_chunk(peer: socket.socket, _request: bytes) -> None:
    peer.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFF0\r\n")
    while True:
        peer.sendall(bytes(65536))
        time.sleep(FLOOD_SECONDS)


def _deep_json(peer: socket.socket, _request: bytes) -> None:
    body = b"[" * 200_000
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    peer.sendall(head.encode() + body)


def _evil_page(peer: socket.socket, _request: bytes) -> None:
    body = f"<title>Index of {EVIL}</title><a href='{EVIL}.dcm'>x</a>".encode()
    head = f"HTTP/1.1 200 OK\r\nServer: nginx/{EVIL}\r\nContent-Length: {len(body)}\r\n\r\n"
    peer.sendall(head.encode() + body)


def _elsewhere(peer: socket.socket, _request: bytes) -> None:
    """Redirects to hosts that nobody allowed."""
    peer.sendall(
        b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: http://192.0.2.66/system\r\n\r\n"
    )


KINDS: dict[str, Callable[[socket.socket], None]] = {
    "garbage": garbage,
    "silent": silent,
    "tarpit": tarpit,
    "endless_banner": endless_banner,
    "long_dicom": long_dicom,
    "slow_reject": slow_reject,
    "endless_association": endless_association,
    "stalled_tls": stalled_tls,
    "redirect_loop": _web(_redirect_loop),
    "bomb": _web(_bomb),
    "endless_body": _web(_endless),
    "dripping_body": _web(_dripping),
    "endless_headers": _web(_endless_headers),
    "huge_chunk": _web(_huge_chunk),
    "deep_json": _web(_deep_json),
    "elsewhere": _web(_elsewhere),
    "evil_banner": evil_banner,
    "evil_page": _web(_evil_page),
    "evil_ssh": evil_ssh,
    "byte_by_byte": byte_by_byte,
    "silent_after_accept": silent_after_accept,
}


def listen(kind: str, host: str, port: int) -> None:
    def serve(peer: socket.socket) -> None:
        with peer, contextlib.suppress(OSError):
            KINDS[kind](peer)

    with socket.create_server((host, port), backlog=50) as server:
        while True:
            peer, _ = server.accept()
            threading.Thread(target=serve, args=(peer,), daemon=True).start()


def main() -> None:
    for kind, (host, port) in json.loads(sys.argv[1]).items():
        threading.Thread(target=listen, args=(kind, host, port)).start()


if __name__ == "__main__":
    main()
