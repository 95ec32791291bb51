"""PostgreSQL: whether it lets `postgres` in without a password (trust), and offers TLS.

Where it does, rows are estimated from the catalogues of some of its databases; no table is read. Where it
does not, a line of pg_hba.conf may still open one database: three usual names are tried, once each. Who has
no place, is starting or stopping said nothing of whom it lets in.
Source: PostgreSQL documentation, "Frontend/Backend Protocol" (Message Flow, Message Formats).
"""

from __future__ import annotations

import contextlib
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from serment.adapters.network.accounts import with_documented
from serment.adapters.network.line import Cut, Ended, Line
from serment.adapters.network.passwords import Scram, md5_answer
from serment.adapters.network.probing import NONSENSE, Call, Heard, Probe
from serment.core.exposure.accounts import Account
from serment.core.exposure.findings import Unit, counted
from serment.core.exposure.seen import Answer, Database

USER: Final = "postgres"  # and the database of that name
_MESSAGE: Final = 64 * 1024  # bytes of one message that is read
_MESSAGES: Final = 200
_DATABASES: Final = 6
_PROTOCOL: Final = 3 << 16
_TLS_REQUEST: Final = struct.pack(">II", 8, 80877103)
_IN_PASSING: Final = (b"K", b"N", b"v")  # key, notice, version
_OK, _CLEAR, _MD5, _SCRAM, _SCRAM_GOES_ON, _SCRAM_END = 0, 3, 5, 10, 11, 12
_MECHANISM: Final = b"SCRAM-SHA-256\0"
_NOT_LISTED: Final = "28000"  # SQLSTATE: pg_hba.conf has no line for this caller
# SQLSTATE (Appendix A): no resources, an operator's stop or a start, a failure of its own.
_NOT_NOW: Final = ("53", "57P", "58", "XX")
_OTHERS: Final = ("orthanc", "pacsdb", "cabinet")  # databases that one line may open
_NAMES: Final = "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate LIMIT 20"
_ROWS: Final = (
    "SELECT sum(greatest(c.reltuples, s.n_live_tup, 0))::bigint FROM pg_class c"
    " JOIN pg_stat_user_tables s ON s.relid = c.oid"
)


@dataclass(frozen=True, slots=True)
class Welcome:
    """What became of a start. `asks`: it wants a password (or something else), `code`: SQLSTATE of
    a refusal, `why`: its words, never kept."""

    open: Answer
    version: str = ""
    code: str = ""
    asks: bool = False
    why: str = ""


def talk(call: Call) -> Heard | None:
    """Start a session as the usual account, in TLS where offered, else (or refused) in clear."""
    encrypted, welcome = _try(call, USER, USER)
    if encrypted is None or welcome is None:
        return None
    call.heard = _heard(welcome, encrypted)
    is_clear = False
    if welcome.code == _NOT_LISTED and encrypted is Answer.YES:
        # A line of pg_hba.conf may concern sessions in clear only.
        _, again = _try(call, USER, USER, in_clear=True)
        welcome, is_clear = again or welcome, True
        call.heard = _heard(welcome, encrypted)
    database = USER
    if welcome.asks or welcome.code == _NOT_LISTED:
        database, other = _another(call, is_clear)
        welcome = other or welcome
        call.heard = _heard(welcome, encrypted)
    if welcome.open is Answer.YES:
        call.heard = _with_rows(call, call.heard, database, is_clear)
    elif welcome.asks:
        call.heard = with_documented(call, "postgresql", lambda each: _signed_in(call, each))
    return call.heard


def _another(call: Call, is_clear: bool) -> tuple[str, Welcome | None]:
    """A usual database that opens where `postgres` does not, and how it did."""
    for database in _OTHERS:
        with contextlib.suppress(Ended, *NONSENSE):
            _, welcome = _try(call, USER, database, in_clear=is_clear)
            if welcome and welcome.open is Answer.YES and not welcome.code:
                return database, welcome
    return "", None


def _try(
    call: Call, user: str, database: str, in_clear: bool = False, password: str | None = None
) -> tuple[Answer | None, Welcome | None]:
    """Whether it offers TLS, and what becomes of a session; None when it is no PostgreSQL."""
    with call.line() as line:
        encrypted = Answer.NOT_ASKED if in_clear else _secure(line)
        if encrypted is None:
            return None, None
        return encrypted, _Start(call, line, user, database, password).made()


def _signed_in(call: Call, account: Account) -> tuple[bool, str]:
    _, welcome = _try(call, account.user, account.database, password=account.password)
    return (welcome.open is Answer.YES, welcome.why) if welcome else (False, "")


class _Start:
    """The beginning of one session, with a password or without."""

    def __init__(
        self, call: Call, line: Line, user: str, database: str, password: str | None = None
    ) -> None:
        self._call, self._line = call, line
        self._user, self._database = user, database
        self._password = password
        self._scram = Scram(password or "")
        self._let_in = False

    def made(self) -> Welcome | None:
        """What becomes of it; None when what answers is no PostgreSQL."""
        self._line.send(startup_packet(self._user, self._database))
        version = ""
        for kind, body in _messages(self._line):
            if kind == b"R" and len(body) >= 4 and body[3] <= _SCRAM_END and not any(body[:3]):
                self._recognised()
                if not self._answer(body[3], body[4:]):
                    return Welcome(Answer.REFUSED, version, asks=True)
            elif kind == b"E" and (error := parse_error(body))[0]:
                self._recognised()
                return Welcome(self._meaning(error[0]), version, error[0], why=error[1])
            elif kind == b"S":
                name, _, value = body.rstrip(b"\0").partition(b"\0")
                version = value.decode("latin-1") if name == b"server_version" else version
            elif kind == b"Z":
                return Welcome(Answer.YES, version)
            elif kind not in _IN_PASSING:
                break
        return None

    def _recognised(self) -> None:
        self._call.understood()
        nothing = Heard("postgresql", "PostgreSQL", facts=Database(Answer.NOTHING))
        self._call.heard = self._call.heard or nothing

    def _meaning(self, code: str) -> Answer:
        if self._let_in:
            return Answer.YES
        return Answer.NOTHING if code.startswith(_NOT_NOW) else Answer.REFUSED

    def _answer(self, asked: int, more: bytes) -> bool:
        """Answer one question for a password; False when there is none to give."""
        if asked == _OK:
            self._let_in = True
        if asked in (_OK, _SCRAM_END):
            return True
        if self._password is None:
            return False
        if asked == _CLEAR:
            said = self._password.encode() + b"\0"
        elif asked == _MD5:
            said = md5_answer(self._user, self._password, more[:4]) + b"\0"
        elif asked == _SCRAM and _MECHANISM in more:
            said = _MECHANISM + struct.pack(">I", len(self._scram.first)) + self._scram.first
        elif asked == _SCRAM_GOES_ON:
            said = self._scram.final(more)
        else:
            return False
        self._line.send(b"p" + struct.pack(">I", 4 + len(said)) + said)
        return True


def startup_packet(user: str, database: str) -> bytes:
    """The first message of a session; its log shows who asks."""
    given = {"user": user, "database": database, "application_name": "SERMENT-AUDIT"}
    pairs = b"".join(f"{name}\0{value}\0".encode() for name, value in given.items())
    return struct.pack(">II", 9 + len(pairs), _PROTOCOL) + pairs + b"\0"


def parse_error(untrusted: bytes) -> tuple[str, str]:
    """The SQLSTATE of an error and its words; empty when it is none."""
    fields = {each[:1]: each[1:].decode("latin-1") for each in untrusted.split(b"\0")}
    code = fields.get(b"C", "")
    return (code, fields.get(b"M", "")) if re.fullmatch(r"[0-9A-Z]{5}", code) else ("", "")


def parse_value(untrusted: bytes) -> str:
    """The first column of a row; empty when it has none."""
    columns, size = struct.unpack_from(">Hi", untrusted)
    return untrusted[6 : 6 + size].decode("utf-8", "replace") if columns and size > 0 else ""


def _secure(line: Line) -> Answer | None:
    """Ask for TLS and begin it where it is offered; None when that is no answer of PostgreSQL."""
    line.send(_TLS_REQUEST)
    said = line.exactly(1)
    if said == b"S":
        line.start_tls()
        return Answer.YES
    return Answer.REFUSED if said == b"N" else None


def _heard(welcome: Welcome, encrypted: Answer) -> Heard:
    user = USER if welcome.open is Answer.YES else ""
    is_shut = welcome.code == _NOT_LISTED
    facts = Database(welcome.open, user, encrypted=encrypted, shut=is_shut)
    return Heard("postgresql", "PostgreSQL", welcome.version, facts=facts)


def _with_rows(call: Call, heard: Heard, database: str, is_clear: bool) -> Heard:
    """With the rows of every database that can be asked in time; one session for each."""
    names, total, was_told = [database], 0, False
    for at in range(_DATABASES):
        if at >= len(names):
            break
        with contextlib.suppress(Ended, *NONSENSE), call.line() as line:
            if not is_clear:
                _secure(line)
            welcome = _Start(call, line, USER, names[at]).made()
            if not welcome or welcome.open is not Answer.YES or welcome.code:
                continue
            if at == 0:
                names += [each for each in _ask(line, _NAMES) if each not in names]
            for each in _ask(line, _ROWS):
                total, was_told = total + int(each or 0), True
    if not was_told:
        return heard
    assert isinstance(heard.facts, Database)
    readable = counted(total, Unit.ROWS, more=len(names) > _DATABASES)
    return replace(heard, facts=replace(heard.facts, readable=readable))


def _ask(line: Line, question: str) -> Iterator[str]:
    """The first column of each row that answers."""
    data = question.encode("ascii") + b"\0"
    line.send(b"Q" + struct.pack(">I", 4 + len(data)) + data)
    for kind, body in _messages(line):
        if kind == b"D":
            yield parse_value(body)
        elif kind == b"Z":
            return


def _messages(line: Line) -> Iterator[tuple[bytes, bytes]]:
    for _ in range(_MESSAGES):
        kind, size = struct.unpack(">cI", line.exactly(5))
        if not 4 <= size <= _MESSAGE:
            raise Cut
        yield kind, line.exactly(size - 4)


PROBE = Probe("postgresql", talk, usual=frozenset({5432, 5433}), rank=42)
