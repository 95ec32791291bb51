"""A small server that speaks MongoDB's wire protocol: `python mongo.py HOST PORT WORDS...`.

Debian has no MongoDB. This one answers the commands an audit asks as MongoDB 7 does (OP_QUERY for
isMaster, OP_MSG for the others; BSON from its specification), with the word "closed" as one with
access control, with "old" as MongoDB 3.4, which knows no OP_MSG. It is written apart from the
probe, with another encoder of BSON.
"""

from __future__ import annotations

import socketserver
import struct
import sys
from typing import Any

DATABASES = {"admin": 4, "config": 2, "local": 1, "cabinet": 61}


def bson(document: dict[str, Any]) -> bytes:
    """Doubles, texts, documents and lists, as MongoDB answers them."""
    parts = []
    for name, value in document.items():
        key = name.encode() + b"\0"
        if isinstance(value, bool):
            parts.append(b"\x08" + key + bytes([value]))
        elif isinstance(value, int):
            parts.append(b"\x10" + key + struct.pack("<i", value))
        elif isinstance(value, float):
            parts.append(b"\x01" + key + struct.pack("<d", value))
        elif isinstance(value, str):
            parts.append(b"\x02" + key + struct.pack("<i", len(value) + 1) + value.encode() + b"\0")
        elif isinstance(value, list):
            parts.append(b"\x04" + key + bson({str(at): each for at, each in enumerate(value)}))
        else:
            parts.append(b"\x03" + key + bson(value))
    body = b"".join(parts)
    return struct.pack("<i", len(body) + 5) + body + b"\0"


def command_of(body: bytes) -> tuple[str, str]:
    """The first element's name, and the database of `$db` where it stands."""
    name = body[5 : body.index(b"\0", 5)].decode()
    at = body.find(b"\x02$db\0")
    size = struct.unpack_from("<i", body, at + 5)[0] if at > 0 else 0
    return name, body[at + 9 : at + 8 + size].decode() if at > 0 else ""


class Mongo(socketserver.BaseRequestHandler):
    closed = "closed" in sys.argv
    old = "old" in sys.argv

    def handle(self) -> None:
        while head := self._read(16):
            size, number, _, kind = struct.unpack("<iiii", head)
            if not 16 < size < 48_000_000:
                return  # as mongod does with a length that cannot be
            body = self._read(size - 16)
            if kind == 2004:
                end = body.index(b"\0", 4)
                database = body[4:end].decode().partition(".")[0]
                said = self.answer(*(command_of(body[end + 9 :])[0], database))
                self._send(number, 1, struct.pack("<iqii", 8, 0, 0, 1) + bson(said))
            elif kind == 2013 and not self.old:
                self._send(number, 2013, bytes(5) + bson(self.answer(*command_of(body[5:]))))
            else:
                return

    def answer(self, command: str, database: str) -> dict[str, Any]:
        wire = 5 if self.old else 21
        if command in ("isMaster", "hello"):
            return {
                "ismaster": True,
                "maxBsonObjectSize": 16777216,
                "maxWireVersion": wire,
                "ok": 1.0,
            }
        if command == "buildInfo":
            return {"version": "3.4.24" if self.old else "7.0.31", "bits": 64, "ok": 1.0}
        if self.closed:
            said = f"Command {command} requires authentication"
            return {"ok": 0.0, "errmsg": said, "code": 13, "codeName": "Unauthorized"}
        if command == "listDatabases":
            return {"databases": [{"name": each} for each in DATABASES], "ok": 1.0}
        if command == "dbStats":
            return {"db": database, "objects": DATABASES.get(database, 0), "ok": 1.0}
        return {"ok": 0.0, "errmsg": f"no such command: '{command}'", "code": 59}

    def _send(self, number: int, kind: int, body: bytes) -> None:
        self.request.sendall(struct.pack("<iiii", 16 + len(body), 7, number, kind) + body)

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = self.request.recv(size - len(data))
            if not more:
                return b""
            data += more
        return data


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads = True, True


if __name__ == "__main__":
    Server((sys.argv[1], int(sys.argv[2])), Mongo).serve_forever()
