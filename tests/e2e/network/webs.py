"""Web servers of fictional practices on loopback, in threads: pages by path, requests written down."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Answer:
    """What one path answers; a `str` is text, a function is asked each time, the rest is JSON."""

    body: object = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Web:
    """A running server: where, and what it was asked."""

    host: str
    port: int
    asked: list[str] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)
    authorizations: list[str] = field(default_factory=list)


@contextmanager
def web(
    pages: Mapping[str, Answer],
    host: str = "127.0.0.1",
    otherwise: Answer | None = None,
    port: int = 0,
) -> Iterator[Web]:
    """Serve `pages`, whose keys are paths without query, "METHOD path", or "*"."""
    missing = otherwise or Answer("not here", 404)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version, sys_version = "Practice/1", ""

        def answer(self) -> None:
            found.asked.append(f"{self.command} {self.path}")
            found.agents.add(self.headers.get("User-Agent", ""))
            if given := self.headers.get("Authorization"):
                found.authorizations.append(given)
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            path = self.path.partition("?")[0]
            said = pages.get(f"{self.command} {path}") or pages.get(path) or missing
            if given and (inside := pages.get(f"signed in {path}")):
                said = inside
            body = said.body() if callable(said.body) else said.body
            text = body if isinstance(body, str) else json.dumps(body)
            self.send_response(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST = do_OPTIONS = do_PROPFIND = do_PUT = do_HEAD = answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer((host, port), Handler) as server:
        server.daemon_threads = True
        found = Web(host, server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()
