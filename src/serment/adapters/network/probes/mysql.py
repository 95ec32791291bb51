"""MySQL and MariaDB: the version they greet with, and whether root opens without a password, once.

Where it does, rows are estimated from the catalogue; no table is read. It is asked in TLS where that is
offered, which some insist on; in clear where TLS does not begin with us: an empty password gives nothing
away. Who has no place left, or blocks addresses after errors, said nothing of whom it lets in.
Source: MySQL's "Client/Server Protocol" (Connection Phase, Command Phase), MariaDB's "Connection".
"""

from __future__ import annotations

import contextlib
import re
import struct
from dataclasses import dataclass, replace
from typing import Final

from serment.adapters.network.accounts import with_documented
from serment.adapters.network.line import Cut, Gone, Line, Silent
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
_NOT_NOW: Final = frozenset(
    {1040, 1053, 1129, 1203, 1226}
)  # full, stopping, blocked, limits of use
_UNSAFE: Final = frozenset({1835, 3159})  # it insists on TLS
_TOO_MANY: Final = b"too many connections"  # all that it says before a greeting
_UTF8: Final = 33
_PLUGIN: Final = b"mysql_native_password"
_CACHING: Final = b"caching_sha2_password"
_GOES_ON: Final = b"\1\3"  # caching_sha2_password: proved, and an end follows
_IN_FULL: Final = b"\1\4"  # the same: it wants the password itself, inside TLS
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
    """What it says first. `refuses`: the error that it says instead, 0 = none."""

    product: str
    version: str = ""
    encrypts: bool = False
    refuses: int = 0
    salt: bytes = b""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one account; `why`: the words of a refusal, never kept."""

    answer: Answer
    why: str = ""


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
        call.heard = _greeted(greeting)
        if greeting.refuses:
            return call.heard
        begun = _secured(line, greeting)
        if begun:
            found = _asked(call, line, greeting, begun)
    if not begun:
        with call.line() as line:
            greeting = parse_greeting(_packet(line)[1])
            if greeting is None or greeting.refuses:
                return call.heard
            found = _asked(call, line, greeting, 1)
    if found.answer is Answer.REFUSED and not announces_lock_out(found.why):
        return with_documented(call, "mysql", lambda each: _documented(call, each))
    return call.heard


def _greeted(greeting: Greeting) -> Heard:
    encrypted = Answer.YES if greeting.encrypts else Answer.REFUSED
    facts = Database(Answer.NOTHING, encrypted=encrypted)
    if greeting.refuses and greeting.refuses not in _NOT_NOW:
        facts = Database(Answer.REFUSED, shut=True)
    version = re.sub(r"^5\.5\.5-(?=\d)", "", greeting.version)  # MariaDB's mask for old clients
    return Heard("mysql", greeting.product, version, facts=facts)


def _asked(call: Call, line: Line, greeting: Greeting, number: int) -> Outcome:
    """What becomes of root without a password; in `call.heard` too."""
    assert call.heard and isinstance(call.heard.facts, Database)
    found = _sign_in(line, USER, "", greeting.salt, number)
    facts = replace(call.heard.facts, open=found.answer)
    if found.answer is Answer.YES:
        facts = replace(facts, user=USER)
        call.heard = replace(call.heard, facts=facts)
        facts = replace(facts, readable=_count(line))
    call.heard = replace(call.heard, facts=facts)
    return found


def _secured(line: Line, greeting: Greeting) -> int:
    """Begin TLS where it is offered: the number of the next packet, 0 when TLS fails."""
    if not greeting.encrypts:
        return 1
    with contextlib.suppress(Gone, Silent):
        _send(line, 1, struct.pack("<IIB23x", _ASKED | _TLS, _PACKET, _UTF8))
        line.start_tls()
        return 2
    return 0


def parse_greeting(untrusted: bytes) -> Greeting | None:
    """The first packet's content; None when it is no MySQL."""
    if untrusted[:1] == bytes([_ERROR]) and len(untrusted) > 3:
        text = untrusted[3:512].lower()
        if text.removeprefix(b"#08004") != _TOO_MANY and not re.search(rb"mysql|mariadb", text):
            return None
        product = "MariaDB" if b"mariadb" in text else "MySQL"
        return Greeting(product, refuses=int.from_bytes(untrusted[1:3], "little"))
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


def sign_in_packet(user: str, answer: bytes, flags: int = _ASKED) -> bytes:
    """The answer to a greeting: an account, what proves its password, and who asks."""
    attributes = b"\x0cprogram_name\x0dSERMENT-AUDIT"
    return (
        struct.pack("<IIB23x", flags, _PACKET, _UTF8)
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


def _sign_in(line: Line, user: str, password: str, salt: bytes, number: int) -> Outcome:
    """What becomes of one account; `number` is the next packet's, 2 inside TLS."""
    in_tls = number > 1
    proof = answer_to(_PLUGIN, password, salt) or b""
    _send(line, number, sign_in_packet(user, proof, _ASKED | _TLS if in_tls else _ASKED))
    for _ in range(4):
        number, said = _packet(line)
        kind = said[0] if said else _ERROR
        if kind == _OK:
            return Outcome(Answer.YES)
        if kind == _ERROR:
            return _refused(said)
        if kind == _SWITCH:
            plugin, _, asked = said[1:].partition(b"\0")
            answer = answer_to(plugin, password, asked[:20])
            if answer is None:
                return Outcome(Answer.REFUSED)
            _send(line, number + 1, answer)
        elif said == _IN_FULL and in_tls:
            _send(line, number + 1, password.encode() + b"\0")
        elif said != _GOES_ON:
            break
    return Outcome(Answer.NOTHING)


def _refused(said: bytes) -> Outcome:
    code = int.from_bytes(said[1:3], "little")
    is_answer = code not in _NOT_NOW | _UNSAFE
    why = said[3:].decode("utf-8", "replace")
    return Outcome(Answer.REFUSED if is_answer else Answer.NOTHING, why)


def _documented(call: Call, account: Account) -> tuple[bool, str]:
    with call.line() as line:
        greeting = parse_greeting(_packet(line)[1])
        if greeting is None or greeting.refuses:
            return False, ""
        begun = _secured(line, greeting)
        if not begun:
            return False, ""
        found = _sign_in(line, account.user, account.password, greeting.salt, begun)
        return found.answer is Answer.YES, found.why


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
