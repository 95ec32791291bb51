"""A small web server behind HTTP Basic: `python basic.py HOST PORT SERVER ACCOUNT MODE`.

SERVER is what it says it is; ACCOUNT is user:password, or - for none that is right. It writes each
account it is sent to `tried`; in MODE "locks", the first wrong one locks it.
"""

from __future__ import annotations

import base64
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SERVER, ACCOUNT, MODE = sys.argv[3:6]


class Manager(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        given = self.headers.get("Authorization", "")
        account = base64.b64decode(given[6:]).decode() if given.startswith("Basic ") else ""
        if account:
            with Path("tried").open("a") as file:
                file.write(f"{account}\n")
        if self.path == "/":
            self._say(200, f"<title>{SERVER}</title>")
        elif account == ACCOUNT:
            self._say(200, "manager")
        elif account and MODE == "locks":
            self._say(401, "Account locked after too many attempts")
        else:
            self._say(401, "no")

    def _say(self, status: int, text: str) -> None:
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="Tomcat Manager Application"')
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


if __name__ == "__main__":
    ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Manager).serve_forever()
