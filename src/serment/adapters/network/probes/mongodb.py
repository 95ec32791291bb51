"""MongoDB: its version, and whether it lists its databases to somebody without an account.

Where it does, documents are counted from its statistics; none is read, and no name is kept.
Source: MongoDB Wire Protocol (OP_QUERY, OP_REPLY, OP_MSG); commands hello, buildInfo,
listDatabases and dbStats.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from serment.adapters.network import bson
from serment.adapters.network.bson import Value
from serment.adapters.network.line import Cut, Line
from serment.adapters.network.probing import Call, Heard, Probe
from serment.core.exposure.findings import Readable, Unit, counted
from serment.core.exposure.seen import Answer, Database

_ANSWER: Final = 256 * 1024  # bytes of one answer that is read
_HEAD: Final = struct.Struct("<iiii")
_REPLY, _QUERY, _MESSAGE = 1, 2004, 2013
_MESSAGES_SINCE: Final = 6  # wire version, MongoDB 3.6: OP_MSG
_OWN: Final = frozenset({"admin", "config", "local"})
_DATABASES: Final = 20
_CLIENT: Final[Mapping[str, Value]] = {
    "application": {"name": "SERMENT-AUDIT"},
    "driver": {"name": "SERMENT-AUDIT", "version": "1"},
    "os": {"type": "unknown"},
}


def talk(call: Call) -> Heard | None:
    """Say hello in the words that every version knows; then ask what it holds."""
    with call.line() as line:
        server = _Server(line)
        hello = server.hello()
        if hello is None:
            return None
        call.understood()
        call.heard = Heard("mongodb", "MongoDB", facts=Database(Answer.NOTHING))
        version = str(server.ask("admin", buildInfo=1).get("version", ""))
        listed = server.ask("admin", listDatabases=1, nameOnly=True)
        facts = Database(judge(listed))
        call.heard = Heard("mongodb", "MongoDB", version, facts=facts)
        if facts.open is not Answer.YES:
            return call.heard
        facts = replace(facts, readable=_count(server, names(listed)))
        return replace(call.heard, facts=facts)


def judge(answer: Mapping[str, Value]) -> Answer:
    """What an answer to listDatabases means."""
    if answer.get("ok") == 1:
        return Answer.YES
    return Answer.REFUSED if "code" in answer or "errmsg" in answer else Answer.NOTHING


def names(listed: Mapping[str, Value]) -> list[str]:
    """The databases that are not the server's own; to be asked, never kept."""
    databases = listed.get("databases")
    if not isinstance(databases, Mapping):
        return []
    found = [each.get("name") for each in databases.values() if isinstance(each, Mapping)]
    return [each for each in found if isinstance(each, str) and each not in _OWN]


@dataclass(slots=True)
class _Server:
    line: Line
    wire: int = 0

    def hello(self) -> dict[str, Value] | None:
        """What it says of itself; None when it is no MongoDB."""
        asked: dict[str, Value] = {"isMaster": 1, "helloOk": True, "client": _CLIENT}
        said = self._query("admin", asked)
        if said is None or "ok" not in said:
            return None
        wire = said.get("maxWireVersion")
        self.wire = wire if isinstance(wire, int) else 0
        return said

    def ask(self, database: str, **command: Value) -> dict[str, Value]:
        """One command's answer; empty when there is none."""
        if self.wire < _MESSAGES_SINCE:
            return self._query(database, command) or {}
        body = bson.encode({**command, "$db": database})
        kind, said = self._exchange(_MESSAGE, bytes(5) + body)
        return bson.decode(said[5:]) if kind == _MESSAGE and said[4:5] == b"\0" else {}

    def _query(self, database: str, command: Mapping[str, Value]) -> dict[str, Value] | None:
        name = f"{database}.$cmd".encode() + b"\0"
        body = bytes(4) + name + struct.pack("<ii", 0, -1) + bson.encode(command)
        kind, said = self._exchange(_QUERY, body)
        return bson.decode(said[20:]) if kind == _REPLY else None

    def _exchange(self, kind: int, body: bytes) -> tuple[int, bytes]:
        self.line.send(_HEAD.pack(_HEAD.size + len(body), 1, 0, kind) + body)
        size, _, _, answered = _HEAD.unpack(self.line.exactly(_HEAD.size))
        if answered not in (_REPLY, _MESSAGE) or not _HEAD.size < size <= _ANSWER:
            raise Cut
        return answered, self.line.exactly(size - _HEAD.size)


def _count(server: _Server, databases: list[str]) -> Readable:
    total = 0
    for each in databases[:_DATABASES]:
        objects = server.ask(each, dbStats=1).get("objects")
        total += int(objects) if isinstance(objects, int | float) else 0
    return counted(total, Unit.ROWS, more=len(databases) > _DATABASES)


PROBE = Probe("mongodb", talk, usual=frozenset({27017, 27018, 27019}), rank=44)
