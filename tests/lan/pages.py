"""Web servers of fictional practices: `python pages.py FILE`, JSON of a list of sites.

A site: "host", "port", "pages" (by path, "METHOD path", or "*" for all others), and where wanted
"certificate" and "key" (TLS), "delay" (seconds before each answer), "name" (the only Host it serves; "strict":
it hangs up on others, or refuses them in "tls").
A page: "body" (text, or JSON), "status", "headers".
"""

from __future__ import annotations

import json
import socket
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Site = dict[str, Any]
ABSENT = {"body": "not here", "status": 404}


class Server(ThreadingHTTPServer):
    """One site."""

    daemon_threads = True

    def __init__(self, site: Site) -> None:
        self.site = site
        if ":" in site["host"]:
            self.address_family = socket.AF_INET6
        super().__init__((site["host"], site["port"]), Handler)
        if site.get("certificate"):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(site["certificate"], site["key"])
            if site.get("strict") == "tls":
                context.sni_callback = self.refuse
            self.socket = context.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )

    def refuse(self, _: object, name: str | None, __: object) -> int | None:
        """The alert for who calls it otherwise."""
        return None if name == self.site["name"] else ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME

    def handle_error(self, *_: object) -> None:
        """Whoever hangs up has done so."""


class Handler(BaseHTTPRequestHandler):
    """Answers from the site's pages."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "Practice/1", ""
    server: Server

    def answer(self) -> None:
        site = self.server.site
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        time.sleep(site.get("delay", 0))
        pages, path = site["pages"], self.path.partition("?")[0]
        named = self.headers.get("Host", "").partition(":")[0]
        page = pages.get(f"{self.command} {path}") or pages.get(path) or pages.get("*") or ABSENT
        if site.get("name", named) != named and site.get("strict"):
            self.close_connection = True
            return
        if site.get("name", named) != named:
            page = ABSENT
        body = page.get("body", "")
        text = body if isinstance(body, str) else json.dumps(body)
        kind = "text/html" if isinstance(body, str) else "application/json"
        self.send_response(page.get("status", 200))
        for name, value in {"Content-Type": kind, **page.get("headers", {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text.encode())

    do_GET = do_POST = do_OPTIONS = do_PROPFIND = do_PUT = do_HEAD = answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


def main() -> None:
    for site in json.loads(Path(sys.argv[1]).read_text()):
        threading.Thread(target=Server(site).serve_forever).start()


if __name__ == "__main__":
    main()
