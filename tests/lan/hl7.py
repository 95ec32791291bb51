"""A small HL7 listener over MLLP: `python hl7.py HOST PORT WORDS...`.

As an interface engine: silent until a block is whole, acknowledges what it can read (HL7 2.5.1
section 2.9.2). With "strict" it rejects senders it does not know; with "tls" (and CERTIFICATE KEY
AUTHORITY after it) it wants a certificate.
"""

from __future__ import annotations

import socketserver
import ssl
import sys
from typing import Any

KNOWN = "LABORATOIRE"


class Listener(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        buffer = b""
        while data := self.request.recv(4096):
            buffer += data
            while b"\x1c\r" in buffer:
                block, _, buffer = buffer.partition(b"\x1c\r")
                _, start, message = block.partition(b"\x0b")
                if start and message.startswith(b"MSH|"):
                    self.request.sendall(b"\x0b" + answer(message.decode("latin-1")) + b"\x1c\r")


def answer(message: str) -> bytes:
    header = message.split("\r")[0].split("|")
    code, why = "AE", "|unsupported message type"
    if "strict" in sys.argv and header[2] != KNOWN:
        code, why = "AR", "|unknown sending application"
    said = f"MSH|^~\\&|ENGINE|CABINET|{header[2]}||20261122||ACK|1|T|2.3\rMSA|{code}|{header[9]}{why}\r"
    return said.encode("latin-1")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads = True, True

    def get_request(self) -> tuple[Any, Any]:
        peer, address = self.socket.accept()
        if "tls" not in sys.argv:
            return peer, address
        certificate, key, authority = sys.argv[-3:]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        context.load_verify_locations(authority)
        context.verify_mode = ssl.CERT_REQUIRED
        peer.settimeout(10)
        return context.wrap_socket(peer, server_side=True), address

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller who hangs up is none."""


if __name__ == "__main__":
    Server((sys.argv[1], int(sys.argv[2])), Listener).serve_forever()
