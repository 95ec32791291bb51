"""A name whose address changes at each question, and an audit of it: run inside `unshare -nm`.

A name server on loopback answers 127.66.1.1 first and 127.66.1.2 ever after, as in DNS rebinding; at
both a web server counts who comes. Prints as JSON how often the name was asked, what each server heard,
and what the audit found.
"""

from __future__ import annotations

import json
import socket
import struct
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from tests.e2e.network.webs import Answer, web

from serment.adapters.memory.clock import MemoryClock
from serment.adapters.network.local import LocalNetwork
from serment.app.find.network import Wish, audit, prepare

NAME, FIRST, THEN, PORT = "archive.cabinet.example", "127.66.1.1", "127.66.1.2", 8080


def serve_names(asked: list[str]) -> None:
    """Answer queries for A; of anything else there is nothing (RFC 1035)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 53))
        while True:
            query, peer = server.recvfrom(512)
            end = query.index(b"\0", 12) + 1
            kind = struct.unpack(">H", query[end : end + 2])[0]
            answers = b""
            if kind == 1:
                address = THEN if asked else FIRST
                asked.append(address)
                answers = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 0, 4) + socket.inet_aton(address)
            head = query[:2] + struct.pack(">HHHHH", 0x8180, 1, bool(answers), 0, 0)
            server.sendto(head + query[12 : end + 4] + answers, peer)


def main() -> None:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    resolver = Path(sys.argv[1]) / "resolv.conf"
    resolver.write_text("nameserver 127.0.0.1\n")
    subprocess.run(["mount", "--bind", resolver, "/etc/resolv.conf"], check=True)
    asked: list[str] = []
    threading.Thread(target=serve_names, args=(asked,), daemon=True).start()
    moved = Answer("", 302, {"Location": f"http://{NAME}:{PORT}/next"})
    pages = {"/": moved, "/next": Answer("<title>OHIF Viewer</title>")}
    with web(pages, FIRST, port=PORT) as first, web(pages, THEN, port=PORT) as then:
        network = LocalNetwork()
        prepared = prepare(network, Wish((NAME,), ports=(PORT,)))
        report = audit(network, MemoryClock(datetime(2026, 11, 22, tzinfo=UTC)), prepared)
        said = {
            "asked": asked,
            "first": first.asked,
            "then": then.asked,
            "hosts": [each.place.host for each in report.scan.services],
        }
    print(json.dumps(said))


if __name__ == "__main__":
    main()
