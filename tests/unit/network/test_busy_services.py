"""Who is too busy to answer is heard as such, not as one that refuses strangers."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
from tests.unit.network.calling import HOST, call
from tests.unit.network.speaking import ask, heard

from serment.adapters.network.association import Refusal
from serment.adapters.network.line import Budget
from serment.adapters.network.probes import dicom, ftp, http, mllp, snmp, vnc
from serment.adapters.network.probing import Call
from serment.core.dicom.dimse import CommandField, build_response, parse_command
from serment.core.dicom.known import IMPLICIT_LITTLE
from serment.core.dicom.pdu import (
    HEADER,
    ContextReply,
    ContextResult,
    build_abort,
    build_associate_accept,
    build_command,
    parse_associate_request,
)
from serment.core.dicom.requestor import fragments
from serment.core.exposure.findings import Place
from serment.core.exposure.seen import NOT_NOW, Answer, Dicom, Files, Messages, Remote, Service
from serment.core.exposure.unclear import BUSY, CUT, why_unclear

NO, NOTHING, YES = Answer.REFUSED, Answer.NOTHING, Answer.YES
TRANSIENT = bytes.fromhex("03000000000400020302")  # local limit exceeded (PS3.8 Table 9-21)
UNKNOWN_TITLE = bytes.fromhex("03000000000400010107")
Answering = Callable[[socket.socket], None]


@contextmanager
def serving(talk: Answering) -> Iterator[int]:
    """A server on loopback that talks to one caller after the other; its port."""
    with socket.create_server((HOST, 0)) as server:
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                with suppress(OSError, struct.error):
                    peer, _ = server.accept()
                    with peer:
                        peer.settimeout(5)
                        talk(peer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            over.set()
            with suppress(OSError):
                socket.create_connection((HOST, server.getsockname()[1]), timeout=1).close()
            thread.join(5)


def unit(peer: socket.socket) -> bytes:
    """The body of the next DICOM unit (PS3.8 9.3)."""
    size = HEADER.unpack(peer.recv(HEADER.size, socket.MSG_WAITALL))[1]
    return peer.recv(size, socket.MSG_WAITALL)


def archive(*, on_query: bytes | int, echoes: bool) -> Answering:
    """A node that gives associations to anybody. `on_query`: what it sends, or a status (PS3.7 C),
    before it hangs up."""

    def talk(peer: socket.socket) -> None:
        request = parse_associate_request(unit(peer))
        replies = [
            ContextReply(each.id, ContextResult.ACCEPTED, IMPLICIT_LITTLE)
            for each in request.contexts
        ]
        peer.sendall(build_associate_accept(request, replies, 16384))
        context, _, body = next(iter(fragments(unit(peer))))
        asked = parse_command(body)
        if asked.field == CommandField.C_ECHO_RQ and echoes:
            peer.sendall(build_command(context, build_response(asked, 0), 0))  # type: ignore[arg-type]
            unit(peer)
        elif isinstance(on_query, int):
            peer.sendall(build_command(context, build_response(asked, on_query), 0))  # type: ignore[arg-type]
            unit(peer)
        else:
            peer.sendall(on_query)

    return talk


def node(talk: Answering, **order: object) -> Dicom:
    with serving(talk) as port:
        found = ask(dicom.PROBE, port, **order)
    assert found is not None
    assert isinstance(found.facts, Dicom)
    return found.facts


def is_busy(protocol: str, facts: object) -> bool:
    return why_unclear(Service(Place(HOST, 1), protocol, facts=facts)) == BUSY  # type: ignore[arg-type]


def test_a_node_that_has_no_room_now_has_not_refused() -> None:
    facts = node(lambda peer: peer.sendall(TRANSIENT))
    assert (facts.refusal, is_busy("dicom", facts)) == (NOT_NOW, True)
    assert Refusal.NOT_NOW.value == NOT_NOW


def test_nor_has_one_that_stops_in_the_middle_of_the_titles() -> None:
    left = [UNKNOWN_TITLE, UNKNOWN_TITLE, b""]

    def talk(peer: socket.socket) -> None:
        unit(peer)
        peer.sendall(left.pop(0) if left else b"")

    facts = node(talk, titles=("ANY-SCP", "ORTHANC", "PACS"))
    assert (facts.titles_tried, facts.refusal) == (1, NOT_NOW)
    left[:] = [UNKNOWN_TITLE] * 4
    facts = node(talk, titles=("ANY-SCP", "ORTHANC", "PACS"))
    assert (facts.titles_tried, facts.refusal) == (3, "called")


@pytest.mark.parametrize("breaking", [b"", build_abort()])
def test_a_query_that_breaks_off_is_a_refusal_of_who_is_well_otherwise(breaking: bytes) -> None:
    """As Orthanc refuses strangers; one that does not even echo any more is about to stop."""
    facts = node(archive(on_query=breaking, echoes=True))
    assert (facts.studies, facts.worklist, facts.refusal) == (NO, NO, "")
    assert not is_busy("dicom", facts)
    facts = node(archive(on_query=breaking, echoes=False))
    assert (facts.studies, facts.refusal) == (NO, NOT_NOW)
    assert is_busy("dicom", facts)


@pytest.mark.parametrize(("status", "answer"), [(0xA700, NOTHING), (0x0213, NOTHING), (0x0124, NO)])
def test_out_of_resources_is_no_refusal(status: int, answer: Answer) -> None:
    assert node(archive(on_query=status, echoes=True)).studies is answer


def test_ftp_that_hangs_up_before_it_answers() -> None:
    """At the password, then at the question for TLS."""
    greeting, wants = b"220 (vsFTPd 3.0.3)\r\n", b"331 password\r\n"
    found = heard(ftp.PROBE, greeting, wants, first=True)
    assert found is not None
    assert found.facts == Files(NOTHING, encrypted=NOTHING)
    found = heard(ftp.PROBE, greeting, wants, b"530 no\r\n", first=True)
    assert found is not None  # its first answer to AUTH is "331"
    assert isinstance(found.facts, Files)
    assert found.facts.anonymous is NO
    assert found.facts.encrypted in (NO, NOTHING)


def test_a_ftp_server_that_wants_tls_and_breaks_it_off_has_not_refused() -> None:
    def talk(peer: socket.socket) -> None:
        peer.sendall(b"220 hello\r\n")
        while said := peer.recv(200):
            if said.startswith(b"AUTH"):
                return peer.sendall(b"234 go on\r\n")
            peer.sendall(b"530 use TLS first\r\n")
        return None

    with serving(talk) as port:
        found = ask(ftp.PROBE, port, b"220 ")
    assert found is not None
    assert found.facts == Files(NOTHING, encrypted=YES)


def test_vnc_that_hangs_up_or_has_had_enough() -> None:
    for words in ((b"RFB 003.008\n",), (b"RFB 003.008\n", b"\0\0\0\0\4busy")):
        found = heard(vnc.PROBE, *words, first=True)
        assert found is not None
        assert found.facts == Remote(NOTHING)
        assert is_busy("vnc", found.facts)


def test_hl7_that_begins_to_answer_and_hangs_up() -> None:
    found = heard(mllp.PROBE, b"\x0bMSH|^~\\&|")
    assert found is not None
    assert found.facts == Messages(NOTHING)
    assert is_busy("mllp", found.facts)


def web(busy: bytes, *, front: int) -> Answering:
    """A web server whose first page answers so; below /dicom-web it answers otherwise."""

    def talk(peer: socket.socket) -> None:
        method, path, *_ = (peer.recv(4096) + b"  ").split(b" ")
        status = (
            busy if path.startswith(b"/dicom-web") else b"404" if path != b"/" else b"%d" % front
        )
        if method != b"GET":  # as small servers answer what they do not know
            status = b"501"
        peer.sendall(b"HTTP/1.1 %s x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % status)

    return talk


@pytest.mark.parametrize(
    ("busy", "front", "why"),
    [
        (b"404", 200, ""),
        (b"401", 200, ""),
        (b"502", 502, BUSY),
        (b"404", 503, BUSY),
        (b"502", 200, CUT),  # what is behind it does not answer
        (b"429", 200, CUT),
    ],
)
def test_a_web_server_that_puts_us_off(busy: bytes, front: int, why: str) -> None:
    with serving(web(busy, front=front)) as port:
        asked = call(port)
        found = http.PROBE.talk(asked)
        asked.close()
    assert found is not None
    service = Service(Place(HOST, port), "http", facts=found.facts, cut=asked.was_cut)
    assert why_unclear(service) == why


@pytest.mark.parametrize("version", [0, 1])
def test_one_lost_datagram_does_not_hide_snmp(
    version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device that knows one version only, and does not hear its first question."""
    oid = bytes.fromhex("06082b06010201010100")
    pair = b"\x30" + bytes([len(oid) + 4]) + oid + b"\x04\x02ab"
    body = b"\x02\x03SER\x02\x01\0\x02\x01\0" + b"\x30" + bytes([len(pair)]) + pair
    rest = b"\x04\x06public\xa2" + bytes([len(body)]) + body
    answer = b"\x30" + bytes([len(rest) + 3, 2, 1, version]) + rest
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
        device.bind((HOST, 0))
        device.settimeout(5)
        monkeypatch.setattr(snmp, "PORT", device.getsockname()[1])

        def serve() -> None:
            mine = 0
            while mine < 2:
                said, sender = device.recvfrom(4096)
                mine += said == snmp.request(version)
            device.sendto(answer, sender)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        asked: Call = call(1)
        asked.budget = Budget(3.0, 1.0)
        assert [each.protocol for each in snmp.HOST_PROBE.ask(asked)] == ["snmp"]
        thread.join(5)
