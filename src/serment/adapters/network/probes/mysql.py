"""MySQL and MariaDB: the version they greet with, and whether root opens without a password, once.

Where it does, rows are estimated from the catalogue; no table is read. An empty password gives
nothing away, so it is sent in clear where TLS is offered too.
Source: MySQL's "Client/Server Protocol" (Connection Phase, Command Phase), MariaDB's "Connection".
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, replace
from typing import Final

from serment.adapters.network.accounts import with_documented
from serment.adapters.network.line import Cut, Line
from serment.adapters.network.passwords import caching_answer, native_answer
from serment.adapters.network.probing import Call, Heard, Probe
from serment.core.exposure.accounts import Account, announces_lock_out
from serment.core.exposure.findings import Readable, Unit, counted
from serment.core.exposure.seen import Answer, Database

USER: Final = "root"
_PACKET: Final = 64 * 1024  # bytes of one packet that is read
_PACKETS: Final = 16  # of one answer
_OK, _SWITCH, _ERROR = 0x00, 0xFE, 0xFF
_PROTOCOL: Final = 10
# Long password, long columns, protocol 4.1, transactions, native 4.1 passwords, plugin, attributes.
_ASKED: Final = 0x1 | 0x4 | 0x200 | 0x2000 | 0x8000 | 0x80000 | 0x100000
_TLS: Final = 0x800
_UTF8: Final = 33
_PLUGIN: Final = b"mysql_native_password"
_CACHING: Final = b"caching_sha2_password"
_GOES_ON: Final = b"\1\3"  # caching_sha2_password: proved, and an end follows
_EMPTY: Final = {  # what an empty password is, for each way to send one
    _PLUGIN: b"",
    _CACHING: b"\0",
    b"sha256_password": b"\0",
    b"mysql_clear_password": b"\0",
}
_ROWS: Final = (
    b"SELECT COALESCE(SUM(TABLE_ROWS), 0) FROM information_schema.TABLES WHERE TABLE_SCHEMA NOT IN"
    b" ('mysql', 'information_schema', 'performance_schema', 'sys')"
)


@dataclass(frozen=True, slots=True)
class Greeting:
    """What it says first. `refuses`: it does not talk to this address at all."""

    product: str
    version: str = ""
    encrypts: bool = False
    refuses: bool = False
    salt: bytes = b""


def hears(banner: bytes) -> bool:
    """Whether a banner is a greeting, or an error instead of one."""
    return len(banner) > 5 and banner[3] == 0 and parse_greeting(banner[4:]) is not None


def talk(call: Call) -> Heard | None:
    """Read the greeting, ask for root without a password, and count if that opens."""
    with call.line() as line:
        greeting = parse_greeting(_packet(line)[1])
        if greeting is None:
            return None
        call.understood()
        encrypted = Answer.YES if greeting.encrypts else Answer.REFUSED
        facts = Database(Answer.REFUSED, encrypted=encrypted)
        version = re.sub(r"^5\.5\.5-(?=\d)", "", greeting.version)  # MariaDB's mask for old clients
        call.heard = Heard("mysql", greeting.product, version, facts=facts)
        if greeting.refuses:
            return call.heard
        answer, why = _sign_in(line, USER, "", greeting.salt)
        facts = replace(facts, open=answer, user=USER if answer is Answer.YES else "")
        call.heard = replace(call.heard, facts=facts)
        if answer is Answer.YES:
            return replace(call.heard, facts=replace(facts, readable=_count(line)))
    if answer is Answer.REFUSED and not announces_lock_out(why):
        return with_documented(call, "mysql", lambda each: _documented(call, each))
    return call.heard


def parse_greeting(untrusted: bytes) -> Greeting | None:
    """The first packet's content; None when it is no MySQL."""
    if untrusted[:1] == bytes([_ERROR]) and len(untrusted) > 3:
        named = re.search(rb"MySQL|MariaDB", untrusted[3:512])
        return Greeting(named[0].decode("ascii"), refuses=True) if named else None
    end = untrusted.find(b"\0", 1, 120)
    if untrusted[:1] != bytes([_PROTOCOL]) or end < 0 or len(untrusted) < end + 16:
        return None
    version = untrusted[1:end]
    if not re.fullmatch(rb"\d[\x20-\x7e]+", version):
        return None
    (capabilities,) = struct.unpack_from("<H", untrusted, end + 14)
    product = "MariaDB" if b"mariadb" in version.lower() else "MySQL"
    salt = untrusted[end + 5 : end + 13] + untrusted[end + 32 : end + 44]
    return Greeting(product, version.decode("ascii"), bool(capabilities & _TLS), salt=salt)


def sign_in_packet(user: str, answer: bytes) -> bytes:
    """The answer to a greeting: an account, what proves its password, and who asks."""
    attributes = b"\x0cprogram_name\x0dSERMENT-AUDIT"
    return (
        struct.pack("<IIB23x", _ASKED, _PACKET, _UTF8)
        + user.encode("ascii")
        + b"\0"
        + bytes([len(answer)])
        + answer
        + _PLUGIN
        + b"\0"
        + bytes([len(attributes)])
        + attributes
    )


def answer_to(plugin: bytes, password: str, salt: bytes) -> bytes | None:
    """What proves a password in the way that is asked for; None when it would not be safe, or is
    not known here."""
    if not password:
        return _EMPTY.get(plugin)
    if plugin == _PLUGIN:
        return native_answer(password, salt)
    return caching_answer(password, salt) if plugin == _CACHING else None


def parse_number(untrusted: bytes) -> int | None:
    """A row of one number, as text."""
    size = untrusted[:1]
    found = re.fullmatch(rb"(\d{1,18})(?:\.\d{1,9})?", untrusted[1 : 1 + size[0]]) if size else None
    return int(found[1]) if found else None


def _sign_in(line: Line, user: str, password: str, salt: bytes) -> tuple[Answer, str]:
    """What becomes of one account, and the words of a refusal."""
    _send(line, 1, sign_in_packet(user, answer_to(_PLUGIN, password, salt) or b""))
    for _ in range(4):
        number, said = _packet(line)
        kind = said[0] if said else _ERROR
        if kind == _OK:
            return Answer.YES, ""
        if kind == _ERROR:
            return Answer.REFUSED, said[3:].decode("utf-8", "replace")
        if kind == _SWITCH:
            plugin, _, asked = said[1:].partition(b"\0")
            answer = answer_to(plugin, password, asked[:20])
            if answer is None:
                return Answer.REFUSED, ""
            _send(line, number + 1, answer)
        elif said != _GOES_ON:
            break
    return Answer.NOTHING, ""


def _documented(call: Call, account: Account) -> tuple[bool, str]:
    with call.line() as line:
        greeting = parse_greeting(_packet(line)[1])
        if greeting is None or greeting.refuses:
            return False, ""
        answer, why = _sign_in(line, account.user, account.password, greeting.salt)
        return answer is Answer.YES, why


def _count(line: Line) -> Readable | None:
    """Column count, its description, an end, the row."""
    _send(line, 0, b"\x03" + _ROWS)
    _, said = _packet(line)
    if said[:1] != b"\x01":
        return None
    for _ in range(_PACKETS):
        _, said = _packet(line)
        if (number := parse_number(said)) is not None:
            return counted(number, Unit.ROWS)
        if said[:1] == bytes([_ERROR]):
            break
    return None


def _packet(line: Line) -> tuple[int, bytes]:
    head = line.exactly(4)
    size = int.from_bytes(head[:3], "little")
    if size > _PACKET:
        raise Cut
    return head[3], line.exactly(size)


def _send(line: Line, number: int, content: bytes) -> None:
    line.send(struct.pack("<I", len(content))[:3] + bytes([number & 0xFF]) + content)


PROBE = Probe("mysql", talk, hears, usual=frozenset({3306, 3307}), rank=46)
