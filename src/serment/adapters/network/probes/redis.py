"""Redis and what descends from it: whether it answers without a password, and how many keys it has.

Harmless questions and no key: PING, DBSIZE, INFO server. Who is denied one of them is no stranger to it (its
default account has no password, and few rights): two more are asked, of a key that is not there. Source: the Redis protocol (RESP),
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
_ASKS: Final = (b"-NOAUTH", b"-ERR operation not permitted")
_SHUT: Final = b"-DENIED Redis"
_NO_RIGHT: Final = b"-NOPERM"
_NOT_THIS_KEY: Final = re.compile(rb"-NOPERM .* keys")
_BUSY: Final = (b"-LOADING", b"-MASTERDOWN", b"-BUSY ", b"-ERR max number of clients")
_HARMLESS: Final = (b"EXISTS " + _NAME, b"GET " + _NAME)
_PRODUCTS: Final = {"valkey": "Valkey", "redis": "Redis", "dragonfly": "Dragonfly"}


def talk(call: Call) -> Heard | None:
    """Ask whether it is there; then, if it lets us, how many keys."""
    if (facts := judge(call.banner)) and facts.open is not Answer.YES:
        return Heard("redis", "Redis", facts=facts)
    with call.line() as line:
        line.send(b"PING\r\n")
        said = line.until(b"\n", _LINE)
        facts = judge(said)
        if facts is None:
            return None
        call.understood()
        call.heard = Heard("redis", "Redis", facts=facts)
        if said.startswith(_ASKS):
            return with_documented(call, "redis", lambda each: _signed_in(line, each))
        if facts.open is Answer.YES:
            line.send(b"CLIENT SETNAME " + _NAME + b"\r\n")
            line.until(b"\n", _LINE)  # old ones do not know it
            facts = _size(line)
            call.heard = Heard("redis", "Redis", facts=facts)
            line.send(b"INFO server\r\n")
            return Heard("redis", *parse_info(_bulk(line)), facts=facts)
        return call.heard


def _size(line: Line) -> Database:
    """How many keys; where that is denied, whether anything can be asked at all."""
    line.send(b"DBSIZE\r\n")
    said = line.until(b"\n", _LINE)
    if said.startswith(_BUSY):
        return Database(Answer.NOTHING)
    if not said.startswith(_NO_RIGHT):
        return Database(Answer.YES, readable=parse_size(said))
    for question in _HARMLESS:
        line.send(question + b"\r\n")
        said = line.until(b"\n", _LINE)
        if _NOT_THIS_KEY.match(said):
            return Database(Answer.NOTHING)  # of others, perhaps
        if not said.startswith(_NO_RIGHT):
            return Database(Answer.YES)
    return Database(Answer.REFUSED, shut=True)


def _signed_in(line: Line, account: Account) -> tuple[bool, str]:
    line.send(b"AUTH " + account.password.encode("ascii") + b"\r\n")
    said = line.until(b"\n", _LINE)
    return said.startswith(b"+OK"), said.decode("latin-1")


def judge(untrusted: bytes) -> Database | None:
    """What an answer to PING means; None when it is no Redis."""
    if untrusted.rstrip() == b"+PONG" or untrusted.startswith(_NO_RIGHT):
        return Database(Answer.YES)
    if untrusted.startswith(_ASKS):
        return Database(Answer.REFUSED)
    if untrusted.startswith(_SHUT):
        return Database(Answer.REFUSED, shut=True)
    return Database(Answer.NOTHING) if untrusted.startswith(_BUSY) else None


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
    begins=(b"-ERR", b"+PONG", b"-NOAUTH", _SHUT, _NO_RIGHT, *_BUSY),
    flees="http",  # a header is an attack to it; and nothing wakes it once it was asked in DICOM:
    # it looks for the end of a line up to the first NUL
)
