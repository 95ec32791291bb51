"""What Microsoft SQL Server answers to a PRELOGIN, word for word (MS-TDS 4.1 and 2.2.6.5), and what is
made of it; and of the same words cut short, changed and with lengths that lie."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.network.calling import call
from tests.unit.network.speaking import ask, cut_short, heard, saying

from serment.adapters.network.line import Ended
from serment.adapters.network.probes import mssql
from serment.adapters.network.probing import Heard
from serment.core.exposure.seen import Answer, Database

YES, NO = Answer.YES, Answer.REFUSED


def packet(body: bytes, kind: int = 4, status: int = 1, size: int | None = None) -> bytes:
    return (
        struct.pack(">BBHHBB", kind, status, 8 + len(body) if size is None else size, 0, 1, 0)
        + body
    )


def prelogin(*options: tuple[int, bytes]) -> bytes:
    at, head = len(options) * 5 + 1, b""
    for token, value in options:
        head += struct.pack(">BHH", token, at, len(value))
        at += len(value)
    return head + b"\xff" + b"".join(value for _, value in options)


VERSION = (0, bytes.fromhex("0f0007d00000"))  # 15.0.2000
SAID = prelogin(VERSION, (1, b"\0"), (2, b"\0"), (3, b""), (4, b"\0"))


def told(version: str, encrypted: Answer) -> Heard:
    return Heard("mssql", "Microsoft SQL Server", version, facts=Database(NO, encrypted=encrypted))


@pytest.mark.parametrize(
    ("code", "encrypted"),
    [(0, YES), (1, YES), (2, NO), (3, YES)],
    ids=["off", "on", "none", "required"],
)
def test_version_and_encryption_are_told(code: int, encrypted: Answer) -> None:
    said = packet(prelogin(VERSION, (1, bytes([code]))))
    assert heard(mssql.PROBE, said) == told("15.0.2000", encrypted)


def test_what_is_asked_is_the_first_message_and_no_sign_in() -> None:
    with saying(packet(SAID)) as (port, asked):
        assert ask(mssql.PROBE, port) == told("15.0.2000", YES)
    assert asked == [mssql.request()]
    kind, status, size = struct.unpack_from(">BBH", asked[0])
    assert (kind, status, size) == (0x12, 1, len(asked[0]))
    assert asked[0][8] == 0  # the version is the first option (3.3.5.1)


def test_it_begins_so_that_an_answer_to_somebody_elses_question_is_told() -> None:
    assert mssql.PROBE.is_its(packet(SAID))


@pytest.mark.parametrize(
    "word",
    [
        b"",
        b"x",
        bytes(64),
        b"\xff" * 64,
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x15\x03\x01\0\2\2\x28",
        packet(SAID, kind=0x12),  # an echo of what was asked
        packet(SAID, status=0),
        packet(prelogin((1, b"\0"), VERSION)),  # the version comes first
        packet(prelogin(VERSION)),
        packet(prelogin(VERSION, (1, b"\x09"))),
        packet(prelogin((0, b"\x0f\0"), (1, b"\0"))),
        packet(SAID.replace(b"\xff", b"\xfe", 1)),  # a list without end
        packet(SAID[:23] + b"\xff\xff" + SAID[25:]),  # its last option ends outside
        packet(struct.pack(">BHH", 0, 0xFFF0, 6) + struct.pack(">BHH", 1, 11, 0xFFFF) + b"\xff"),
    ],
)
def test_what_others_say_is_not_its(word: bytes) -> None:
    assert heard(mssql.PROBE, word, word) is None


def test_words_cut_short_and_changed_end_in_an_answer() -> None:
    for changed in cut_short(packet(SAID)):
        found = heard(mssql.PROBE, changed)
        assert found is None or found.product == "Microsoft SQL Server"


@pytest.mark.parametrize("size", [0, 7, 8, 4097, 0xFFFF])
def test_a_length_that_lies_is_not_waited_for(size: int) -> None:
    with saying(packet(SAID, size=size)) as (port, _), pytest.raises(Ended):
        mssql.PROBE.talk(call(port))


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reader(said: bytes) -> None:
    found = mssql.parse_answer(said)
    assert found is None or isinstance(found[1], Answer)
    assert len(mssql.parse_instances(said)) <= 8


LISTED = b"ServerName;POSTE;InstanceName;%s;IsClustered;No;Version;15.0.2000.5;tcp;%d;np;\\\\POSTE\\pipe;;"


def browsed(*instances: bytes) -> bytes:
    text = b"".join(instances)
    return b"\5" + struct.pack("<H", len(text)) + text


@pytest.mark.parametrize(
    ("said", "ports"),
    [
        (browsed(LISTED % (b"A", 49172), LISTED % (b"B", 49180)), (49172, 49180)),
        (browsed(LISTED % (b"A", 49172), LISTED % (b"B", 49172)), (49172,)),
        (browsed(*(LISTED % (b"A", port) for port in range(1, 30))), tuple(range(1, 9))),
        (browsed(b"ServerName;POSTE;InstanceName;A;IsClustered;No;Version;9.0;;"), ()),
        (browsed(b";tcp;0;;;tcp;65536;;;tcp;99999999;;;tcp;-1;"), ()),
        (b"\4" + browsed(LISTED % (b"A", 1))[1:], ()),
        (b"", ()),
        (b"\5", ()),
    ],
)
def test_the_ports_of_instances_are_read_and_no_name(said: bytes, ports: tuple[int, ...]) -> None:
    assert mssql.parse_instances(said) == ports
