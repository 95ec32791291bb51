"""What databases, caches and HL7 listeners answer, word for word, and what is made of it; and of
the same words cut short, changed and without end."""

from __future__ import annotations

import socket
import struct

import pytest
from tests.unit.network.speaking import ask, cut_short, heard, saying
from tests.unit.network.test_busy_services import serving

from serment.adapters.network import bson
from serment.adapters.network.line import READ_LIMIT
from serment.adapters.network.probes import memcached, mllp, mongodb, mysql, postgresql, redis
from serment.adapters.network.probing import Heard, Probe
from serment.core.exposure.findings import Readable, Unit
from serment.core.exposure.seen import Answer, Database, Messages

YES, NO, NOTHING = Answer.YES, Answer.REFUSED, Answer.NOTHING


def rows(count: int, capped: bool = False) -> Readable:
    return Readable(count, capped, Unit.ROWS)


def packet(number: int, content: bytes) -> bytes:
    """One of MySQL's."""
    return struct.pack("<I", len(content))[:3] + bytes([number]) + content


def message(kind: bytes, content: bytes) -> bytes:
    """One of PostgreSQL's."""
    return kind + struct.pack(">I", 4 + len(content)) + content


def reply(document: bytes, kind: int = 1) -> bytes:
    """One of MongoDB's."""
    body = (struct.pack("<iqii", 8, 0, 0, 1) if kind == 1 else bytes(5)) + document
    return struct.pack("<iiii", 16 + len(body), 1, 1, kind) + body


def greeting(version: bytes, capabilities: int = 0xF7FE) -> bytes:
    head = b"\x0a" + version + b"\0" + struct.pack("<I", 8) + b"saltsalt\0"
    return packet(0, head + struct.pack("<H", capabilities) + b"\x21\2\0\xff\x81\x15" + bytes(10))


INFO = b"# Server\r\nredis_version:7.0.15\r\nos:Linux\r\n"
REDIS = (b"+PONG\r\n", b"+OK\r\n", b":61\r\n", b"$%d\r\n%s\r\n" % (len(INFO), INFO))
DENIED = b"-DENIED Redis is running in protected mode.\r\n"
NOPERM = b"-NOPERM this user has no permissions to run the 'ping' command\r\n"
NO_KEY = b"-NOPERM this user has no permissions to access one of the keys used as arguments\r\n"
MEMCACHED = (b"VERSION 1.6.18\r\n", b"STAT pid 1\r\nSTAT curr_items 7\r\nEND\r\n")
NUMBER = packet(1, b"\1") + packet(2, b"\3def") + packet(3, b"\xfe\0\0\2\0") + packet(4, b"\x0212")
MYSQL = (greeting(b"8.0.39"), packet(2, b"\0\0\0\2\0\0\0"), NUMBER + packet(5, b"\xfe"))
SIGNED_IN = message(b"R", bytes(4)) + message(b"S", b"server_version\x0015.8 (Debian)\0")
NAMES = message(b"T", b"\0\1") + message(b"D", b"\0\1\0\0\0\x08postgres") + message(b"Z", b"I")
ROWS = message(b"D", b"\0\1\0\0\0\x0240") + message(b"C", b"SELECT 1\0") + message(b"Z", b"I")
POSTGRESQL = (b"N", SIGNED_IN + message(b"Z", b"I"), NAMES, ROWS)
HELLO = reply(bson.encode({"ismaster": True, "maxWireVersion": 21, "ok": 1}))
BUILD = reply(bson.encode({"version": "7.0.31", "ok": 1}), 2013)
LISTED = reply(
    bson.encode({"databases": {"0": {"name": "cabinet"}, "1": {"name": "local"}}, "ok": 1}), 2013
)
STATISTICS = reply(bson.encode({"objects": 61, "ok": 1}), 2013)
MONGODB = (HELLO, BUILD, LISTED, STATISTICS)
UNAUTHORISED = reply(bson.encode({"ok": 0, "errmsg": "requires authentication", "code": 13}), 2013)
MLLP = b"\x0bMSH|^~\\&|E|C|||2026||ACK|1|T|2.3\rMSA|AA|1\r\x1c\r"

WHOLE: dict[Probe, tuple[tuple[bytes, ...], bool, Heard]] = {
    redis.PROBE: (
        REDIS,
        False,
        Heard("redis", "Redis", "7.0.15", facts=Database(YES, readable=rows(50, True))),
    ),
    memcached.PROBE: (
        MEMCACHED,
        False,
        Heard("memcached", "Memcached", "1.6.18", facts=Database(YES, readable=rows(7))),
    ),
    mysql.PROBE: (
        MYSQL,
        True,
        Heard("mysql", "MySQL", "8.0.39", facts=Database(YES, "root", rows(12), encrypted=NO)),
    ),
    postgresql.PROBE: (
        POSTGRESQL,
        False,
        Heard(
            "postgresql",
            "PostgreSQL",
            "15.8 (Debian)",
            facts=Database(YES, "postgres", rows(40), encrypted=NO),
        ),
    ),
    mongodb.PROBE: (
        MONGODB,
        False,
        Heard("mongodb", "MongoDB", "7.0.31", facts=Database(YES, readable=rows(50, True))),
    ),
    mllp.PROBE: ((MLLP,), False, Heard("mllp", facts=Messages(YES))),
}


@pytest.mark.parametrize("probe", WHOLE, ids=lambda probe: probe.protocol)
def test_a_server_that_lets_us_in_is_counted(probe: Probe) -> None:
    words, first, expected = WHOLE[probe]
    if probe is postgresql.PROBE:  # its rows are asked in a session of their own
        words = (b"N", POSTGRESQL[1], NAMES, ROWS)
    assert heard(probe, *words, first=first) == expected


@pytest.mark.parametrize(
    ("probe", "words", "first", "expected"),
    [
        (redis.PROBE, (b"-NOAUTH Authentication required.\r\n",), False, Database(NO)),
        (redis.PROBE, (DENIED,), True, Database(NO, shut=True)),
        (redis.PROBE, (b"-ERR max number of clients reached\r\n",), True, Database(NOTHING)),
        (redis.PROBE, (b"-BUSY Redis is busy running a script.\r\n",), False, Database(NOTHING)),
        (redis.PROBE, (NOPERM, NOPERM, NOPERM, b":0\r\n"), False, Database(YES)),
        (redis.PROBE, (b"+PONG\r\n", NOPERM, NOPERM, NOPERM, b"$-1\r\n"), False, Database(YES)),
        (redis.PROBE, (b"+PONG\r\n", *[NOPERM] * 4), False, Database(NO, shut=True)),
        (redis.PROBE, (*[NOPERM] * 3, NO_KEY), False, Database(NOTHING)),
        (redis.PROBE, (b"-LOADING Redis is loading\r\n",), False, Database(NOTHING)),
        (memcached.PROBE, (b"CLIENT_ERROR unauthenticated\r\n",), False, Database(NO)),
        (
            mysql.PROBE,
            (greeting(b"8.0.39", 0xFFFE), packet(2, b"\xff\x15\4#28000Access denied")),
            True,
            Database(NO, encrypted=YES),
        ),
        (
            mysql.PROBE,
            (greeting(b"8.4.0"), packet(2, b"\xfecaching_sha2_password\0salt"), packet(4, b"\0")),
            True,
            Database(YES, "root", encrypted=NO),
        ),
        (
            mysql.PROBE,
            (greeting(b"11.4.2-MariaDB"), packet(2, b"\xfeauth_gssapi_client\0x")),
            True,
            Database(NO, encrypted=NO),
        ),
        (
            mysql.PROBE,
            (packet(0, b"\xff\x6a\4Host 'x' is not allowed to connect to this MariaDB server"),),
            True,
            Database(NO, shut=True),
        ),
        (
            mysql.PROBE,
            (packet(0, b"\xff\x69\4Host 'x' is blocked; unblock with 'mariadb-admin flush-hosts'"),),
            True,
            Database(NOTHING, encrypted=NO),
        ),
        (
            mysql.PROBE,
            (packet(0, b"\xff\x10\4Too many connections"),),
            True,
            Database(NOTHING, encrypted=NO),
        ),
        (
            mysql.PROBE,
            (greeting(b"8.0.39", 0xFFFE), packet(2, b"\xff\x57\x0c#HY000Insecure transport")),
            True,
            Database(NOTHING, encrypted=YES),
        ),
        (postgresql.PROBE, (b"N", message(b"R", struct.pack(">I", 10) + b"SCRAM-SHA-256\0\0")), False, Database(NO, encrypted=NO)),
        (postgresql.PROBE, (b"N", message(b"E", b"SFATAL\0C28000\0Mno pg_hba.conf\0\0")), False, Database(NO, encrypted=NO, shut=True)),
        (postgresql.PROBE, (b"N", message(b"E", b"SFATAL\0C53300\0Mtoo many\0\0")), False, Database(NOTHING, encrypted=NO)),
        (postgresql.PROBE, (b"N", message(b"E", b"SFATAL\0C57P03\0Mstarting up\0\0")), False, Database(NOTHING, encrypted=NO)),
        (postgresql.PROBE, (b"N", message(b"E", b"SFATAL\0C57P01\0Mshut down\0\0")), False, Database(NOTHING, encrypted=NO)),
        (postgresql.PROBE, (b"N", message(b"R", bytes(4)) + message(b"E", b"SFATAL\0C53300\0\0")), False, Database(YES, "postgres", encrypted=NO)),
        (postgresql.PROBE, (b"N", message(b"R", bytes(4)) + message(b"E", b"SFATAL\0C3D000\0\0")), False, Database(YES, "postgres", encrypted=NO)),
        (mongodb.PROBE, (HELLO, BUILD, UNAUTHORISED), False, Database(NO)),
        (mllp.PROBE, (MLLP.replace(b"MSA|AA|1", b"MSA|AE|1|unknown type"),), False, Messages(YES)),
        (mllp.PROBE, (MLLP.replace(b"MSA|AA|1", b"MSA|AR|1|unknown sender"),), False, Messages(NO)),
        (mllp.PROBE, (MLLP.replace(b"MSA|AA|1", b"MSA|AR|1\rERR|||207^Not authorized"),), False, Messages(NO)),
        (mllp.PROBE, (MLLP.replace(b"MSA|AA|1", b"ZZZ|1"),), False, Messages(NOTHING)),
    ],
)  # fmt: skip
def test_an_answer_is_told_from_a_refusal(
    probe: Probe, words: tuple[bytes, ...], first: bool, expected: object
) -> None:
    found = heard(probe, *words, first=first)
    assert found is not None
    assert found.facts == expected


@pytest.mark.parametrize("probe", WHOLE, ids=lambda probe: probe.protocol)
@pytest.mark.parametrize(
    "word",
    [
        b"",
        b"x",
        b"SSH-2.0-OpenSSH_9.2p1\r\n",
        b"220 ftp\r\n",
        b"ERROR\r\n",
        b"-ERR unknown command\r\n",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x15\x03\x01\0\2\2\x28",
        bytes(64),
        b"\xff" * 64,
        b"S",
        b"E\0\0\0\x0cnonsense",
        b"N" * 9,
    ],
)
def test_what_others_say_is_not_its(probe: Probe, word: bytes) -> None:
    assert heard(probe, word, word, first=probe is mysql.PROBE) is None


@pytest.mark.parametrize("probe", WHOLE, ids=lambda probe: probe.protocol)
def test_words_cut_short_and_changed_end_in_an_answer(probe: Probe) -> None:
    words, first, expected = WHOLE[probe]
    for at, word in enumerate(words):
        for changed in cut_short(word):
            found = heard(probe, *words[:at], changed, first=first)
            assert found is None or found.protocol == expected.protocol


@pytest.mark.parametrize(
    ("probe", "word", "first"),
    [
        (redis.PROBE, b"+" + b"x" * 70_000, False),
        (memcached.PROBE, b"VERSION " + b"x" * 70_000, False),
        (mysql.PROBE, b"\xff\xff\xff\0" + b"\x0a" + b"8" * 70_000, True),
        (postgresql.PROBE, b"N" + b"R\xff\xff\xff\xff" + bytes(70_000), False),
        (mongodb.PROBE, struct.pack("<iiii", 0x7FFFFFFF, 1, 1, 1) + bytes(70_000), False),
        (mllp.PROBE, b"\x0bMSH|" + b"x" * 70_000, False),
    ],
)
def test_a_length_of_gigabytes_is_not_waited_for(probe: Probe, word: bytes, first: bool) -> None:
    with saying(word, word, first=first) as (port, _):
        found = ask(probe, port)
    assert found is None or found.facts in (Messages(NOTHING), None)


def test_a_bulk_of_gigabytes_is_not_read() -> None:
    found = heard(redis.PROBE, *REDIS[:3], b"$4294967295\r\n" + bytes(70_000))
    assert found
    assert found.facts == Database(YES, readable=rows(50, True))
    assert READ_LIMIT < 1 << 20


def test_our_questions_name_no_patient_and_say_who_asks() -> None:
    with saying(MLLP) as (port, told):
        ask(mllp.PROBE, port)
    (said,) = told
    assert b"SERMENT-AUDIT" in said
    assert said.count(b"\r") == 2  # the header, and the block's end: no other segment
    assert b"|T|" in said  # a test, never production
    with saying(*REDIS) as (port, told):
        ask(redis.PROBE, port)
    assert told == [
        b"PING\r\n",
        b"CLIENT SETNAME SERMENT-AUDIT\r\n",
        b"DBSIZE\r\n",
        b"INFO server\r\n",
    ]
    assert b"SERMENT-AUDIT" in mysql.sign_in_packet("root", b"")
    assert b"application_name\0SERMENT-AUDIT\0" in postgresql.startup_packet("postgres", "x")


def binary(opcode: int, key: bytes = b"", value: bytes = b"", status: int = 0) -> bytes:
    """One of Memcached's, in its binary protocol."""
    size = len(key) + len(value)
    return struct.pack(">BBHBBHIIQ", 0x81, opcode, len(key), 0, 0, status, size, 0, 0) + key + value


@pytest.mark.parametrize(
    ("statistics", "expected"),
    [
        (
            binary(16, b"pid", b"1") + binary(16, b"curr_items", b"7"),
            Database(YES, readable=rows(7)),
        ),
        (binary(16, b"pid", b"1") + binary(16), Database(YES)),
        (binary(16, b"", b"Auth failure.", 0x20), Database(NO)),
        (binary(16, b"", b"Temporary failure.", 0x86), Database(NOTHING)),
        (b"", Database(NOTHING)),
    ],
)
def test_memcached_is_asked_in_its_binary_protocol(statistics: bytes, expected: Database) -> None:
    def talk(peer: socket.socket) -> None:
        asked = peer.recv(24)
        if asked[:1] != b"\x80":
            return  # as it hangs up on words
        peer.sendall(binary(0x0B, value=b"1.6.18"))
        peer.recv(24)
        peer.sendall(statistics)

    with serving(talk) as port:
        found = ask(memcached.PROBE, port)
    assert found is not None
    assert (found.version, found.facts) == ("1.6.18", expected)


def test_root_is_asked_once() -> None:
    refused = packet(2, b"\xff\x15\4#28000Access denied")
    with saying(greeting(b"8.0.39"), refused, refused, first=True) as (port, told):
        ask(mysql.PROBE, port)
    assert len(told) == 1


def test_a_document_is_read_within_bounds() -> None:
    nested = bson.encode({"x": 1})
    for _ in range(30):
        nested = struct.pack("<i", len(nested) + 8) + b"\x03x\0" + nested + b"\0"
    with pytest.raises(ValueError):
        bson.decode(nested)
    many = bson.encode({str(at): 1 for at in range(5000)})
    with pytest.raises(ValueError):
        bson.decode(many)
    document = {"a": "é", "b": 7, "c": True, "d": {"e": "f"}}
    assert bson.decode(bson.encode(document)) == document
    binary = b"\x05x\0" + struct.pack("<i", 3) + b"\0abc" + b"\x07y\0" + bytes(12)
    whole = struct.pack("<i", 5 + len(binary)) + binary + b"\0"
    assert bson.decode(whole) == {"x": None, "y": None}
