"""A small file server over FTP, as a NAS or a device has one: `python nas.py HOST PORT BANNER ACCOUNT REFUSAL
[CERTIFICATE KEY]`.

ACCOUNT is user:password, or - for none that is right, * for every one; whoever else signs in hears REFUSAL. With a
certificate it lets in only inside TLS (RFC 4217). It writes each account it is sent to `tried`, and
shows two files.
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import ssl
import sys
from pathlib import Path

HOST, PORT, BANNER, ACCOUNT, REFUSAL, *FILES = sys.argv[1:]
LISTED = "".join(f"-rw-r--r-- 1 0 0 0 Nov 22 08:00 {name}\r\n" for name in ("IM1.dcm", "base.sql"))
SECURE = None
if FILES:
    SECURE = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    SECURE.load_cert_chain(*FILES)


class Session(socketserver.BaseRequestHandler):
    user = ""

    def handle(self) -> None:
        self.secured = self.private = False
        self.data = socket.socket()
        with contextlib.suppress(OSError):
            self.say(f"220 {BANNER}")
            while line := self.line():
                word, _, rest = line.partition(" ")
                self.say(self.answer(word.upper(), rest))
                if word.upper() == "AUTH" and SECURE:
                    self.request = SECURE.wrap_socket(self.request, server_side=True)
                    self.secured = True

    def line(self) -> str:
        said = b""
        while not said.endswith(b"\n") and (piece := self.request.recv(1)):
            said += piece
        return said.decode().strip()

    def say(self, text: str) -> None:
        self.request.sendall(f"{text}\r\n".encode())

    def answer(self, word: str, rest: str) -> str:
        match word:
            case "AUTH":
                return "234 go on" if SECURE else "502 no"
            case "USER":
                self.user = rest
                return "331 and the password?" if self.secured or not SECURE else "530 TLS first"
            case "PASS":
                return self.signed_in(rest)
            case "PROT":
                self.private = True
                return "200 so be it"
            case "PBSZ" | "CWD":
                return "200 so be it"
            case "PWD":
                return '257 "/"'
            case "EPSV":
                self.data.close()
                self.data = socket.create_server((HOST, 0))
                return f"229 here (|||{self.data.getsockname()[1]}|)"
            case "LIST":
                return self.shown()
        return "502 no"

    def signed_in(self, password: str) -> str:
        with Path("tried").open("a") as file:
            file.write(f"{self.user}:{password}\n")
        is_right = ACCOUNT in ("*", f"{self.user}:{password}")
        return "230 in" if is_right else f"530 {REFUSAL}"

    def shown(self) -> str:
        self.say("150 it comes")
        way, _ = self.data.accept()
        if self.private and SECURE:
            way = SECURE.wrap_socket(way, server_side=True)
        with way:
            way.sendall(LISTED.encode())
            with contextlib.suppress(OSError):
                way.close() if not isinstance(way, ssl.SSLSocket) else way.unwrap()
        return "226 all"


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads = True, True


if __name__ == "__main__":
    Server((HOST, int(PORT)), Session).serve_forever()
