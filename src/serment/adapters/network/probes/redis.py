"""Redis and what descends from it: whether it answers without a password, and how many keys it has.

Three harmless questions and no key: PING, DBSIZE, INFO server. Source: the Redis protocol (RESP),
redis.io/docs/latest/develop/reference/protocol-spec.
"""

from __future__ import annotations

import re
from typing import Final

from serment.adapters.network.accounts import with_documented
from serment.adapters.network.line import Line
from serment.adapters.network.probing import Call, Heard, Probe
from serment.core.exposure.accounts import Account
from serment.core.exposure.findings import Readable, Unit, counted
from serment.core.exposure.seen import Answer, Database

_NAME: Final = b"SERMENT-AUDIT"
_LINE: Final = 512  # bytes of one line of an answer
_INFO: Final = 16 * 1024
# What a server that wants a password, or only this machine, answers to PING, or says unasked.
_REFUSALS: Final = (b"-NOAUTH", b"-DENIED Redis", b"-ERR operation not permitted", b"-NOPERM")
_BUSY: Final = (b"-LOADING", b"-MASTERDOWN", b"-BUSY ")
_PRODUCTS: Final = {"valkey": "Valkey", "redis": "Redis", "dragonfly": "Dragonfly"}


def talk(call: Call) -> Heard | None:
    """Ask whether it is there; then, if it lets us, how many keys."""
    if call.banner.startswith(_REFUSALS):
        return Heard("redis", "Redis", facts=Database(Answer.REFUSED))
    with call.line() as line:
        line.send(b"PING\r\n")
        answer = judge(line.until(b"\n", _LINE))
        if answer is None:
            return None
        call.understood()
        call.heard = Heard("redis", "Redis", facts=Database(answer))
        if answer is Answer.REFUSED:
            return with_documented(call, "redis", lambda each: _signed_in(line, each))
        if answer is not Answer.YES:
            return call.heard
        line.send(b"CLIENT SETNAME " + _NAME + b"\r\n")
        line.until(b"\n", _LINE)  # old ones do not know it
        line.send(b"DBSIZE\r\n")
        facts = Database(answer, readable=parse_size(line.until(b"\n", _LINE)))
        call.heard = Heard("redis", "Redis", facts=facts)
        line.send(b"INFO server\r\n")
        return Heard("redis", *parse_info(_bulk(line)), facts=facts)


def _signed_in(line: Line, account: Account) -> tuple[bool, str]:
    line.send(b"AUTH " + account.password.encode("ascii") + b"\r\n")
    said = line.until(b"\n", _LINE)
    return said.startswith(b"+OK"), said.decode("latin-1")


def judge(untrusted: bytes) -> Answer | None:
    """What an answer to PING means; None when it is no Redis."""
    if untrusted.rstrip() == b"+PONG":
        return Answer.YES
    if untrusted.startswith(_REFUSALS):
        return Answer.REFUSED
    return Answer.NOTHING if untrusted.startswith(_BUSY) else None


def parse_size(untrusted: bytes) -> Readable | None:
    """The number of keys; None when it does not say."""
    found = re.fullmatch(rb":(\d{1,18})\r?\n", untrusted)
    return counted(int(found[1]), Unit.ROWS) if found else None


def parse_info(untrusted: bytes) -> tuple[str, str]:
    """Product and version of INFO's lines."""
    lines = (each.partition(":") for each in untrusted.decode("latin-1").splitlines())
    known = {name.strip(): value.strip() for name, _, value in lines}
    for name, product in _PRODUCTS.items():
        if version := known.get(f"{name}_version"):
            return product, version
    return "Redis", ""


def _bulk(line: Line) -> bytes:
    found = re.fullmatch(rb"\$(\d{1,9})\r?\n", line.until(b"\n", _LINE))
    size = int(found[1]) if found else 0
    return line.exactly(size) if size <= _INFO else b""


PROBE = Probe(
    "redis",
    talk,
    usual=frozenset({6379, 6380}),
    rank=41,
    begins=(b"-ERR", b"+PONG", *_REFUSALS, *_BUSY),
    flees="http",  # a header is an attack to it; and nothing wakes it once it was asked in DICOM:
    # it looks for the end of a line up to the first NUL
)
