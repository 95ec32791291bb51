"""A small server that answers as Elasticsearch does: `python elastic.py HOST PORT [closed]`.

Debian has no Elasticsearch. The answers to `/` and `/_count` are those of its documentation
(version 8, REST APIs); "closed" is one with security on, whose documented account is refused.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ABOUT = {
    "name": "node-1",
    "cluster_name": "cabinet",
    "cluster_uuid": "x",
    "version": {"number": "8.19.1", "build_flavor": "default", "lucene_version": "9.12.2"},
    "tagline": "You Know, for Search",
}
REFUSED = {
    "error": {
        "type": "security_exception",
        "reason": "missing authentication credentials for REST request [/]",
        "header": {"WWW-Authenticate": ['Basic realm="security", charset="UTF-8"', "ApiKey"]},
    },
    "status": 401,
}


class Elastic(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if "closed" in sys.argv:
            self._say(401, REFUSED)
        elif self.path == "/":
            self._say(200, ABOUT)
        elif self.path == "/_count":
            self._say(200, {"count": 1204, "_shards": {"total": 1, "successful": 1}})
        else:
            self._say(404, {"error": f"no handler found for uri [{self.path}]"})

    def _say(self, status: int, said: dict[str, Any]) -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("X-elastic-product", "Elasticsearch")
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="security", charset="UTF-8"')
            self.send_header("WWW-Authenticate", "ApiKey")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


if __name__ == "__main__":
    ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Elastic).serve_forever()
