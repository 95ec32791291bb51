"""A box is found whichever search it answers to, from whichever port, and also when it answers only what
is sent to all; and only where its description is in scope."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from tests.unit.network.calling import call
from tests.unit.network.searching import HERE

from serment.adapters.network import ssdp
from serment.adapters.network.dialer import Dialer
from serment.adapters.network.line import Budget, OutOfScope
from serment.adapters.network.neighbours import Link
from serment.adapters.network.probes import igd
from serment.adapters.network.scope import Scope, is_same_machine
from serment.core.exposure.igd import SEARCHED
from serment.core.exposure.seen import Answer, Gateway

ROOT = Path(__file__).parents[3]
HOST, OTHER = "127.77.0.1", "127.77.0.2"
DESCRIPTION = b"""<?xml version="1.0"?><root><device>
<deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:2</deviceType>
<manufacturer>Fictif</manufacturer><modelName>Box</modelName>
<service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:2</serviceType>
<controlURL>/ctl</controlURL></service></device></root>"""
URL = f"http://{HOST}:{{port}}/rootDesc.xml"
FAULT = (
    b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><detail>'
    b"<UPnPError><errorCode>713</errorCode></UPnPError></detail></s:Fault></s:Body></s:Envelope>"
)


class Box(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._say(200, DESCRIPTION)

    def do_POST(self) -> None:
        self._say(500, FAULT)

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def box(
    answers_to: str, location: str, *, group: bool = False, answers_from: str = ""
) -> Iterator[list[bytes]]:
    """A box that answers one kind of search; what it was told. `group`: only what is sent to all.
    `answers_from`: from another port than it was asked at, of this address."""
    told: list[bytes] = []
    with (
        HTTPServer((HOST, 0), Box) as server,
        socket.socket(type=socket.SOCK_DGRAM) as opened,
        socket.socket(type=socket.SOCK_DGRAM) as another,
    ):
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            opened.bind((ssdp.GROUPS[4] if group else HOST, ssdp.PORT))
            if group:
                member = socket.inet_aton(ssdp.GROUPS[4]) + socket.inet_aton("127.0.0.1")
                opened.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        except OSError:
            pytest.skip("port 1900, or a group at loopback, is not to be had here")
        another.bind((answers_from or HOST, 0))
        mouth = another if answers_from or group else opened
        place = location.format(port=server.server_port)
        answer = f"HTTP/1.1 200 OK\r\nST: {answers_to}\r\nLOCATION: {place}\r\n\r\n".encode()

        over = threading.Event()
        opened.settimeout(0.1)

        def listen() -> None:
            while not over.is_set():
                try:
                    said, sender = opened.recvfrom(4096)
                except TimeoutError:
                    continue
                told.append(said)
                if f"ST: {answers_to}\r\n".encode() in said:
                    mouth.sendto(answer, sender)

        threading.Thread(target=server.serve_forever, daemon=True).start()
        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        try:
            yield told
        finally:
            server.shutdown()
            over.set()
            listener.join()


@pytest.mark.parametrize("search", SEARCHED)
def test_a_box_answers_to_its_own_search(search: str) -> None:
    with box(search, URL) as told:
        (found,) = list(igd.ask(call(0, host=HOST)))
    assert found.facts == Gateway(manageable=Answer.YES)
    assert len(told) == len(SEARCHED)
    assert all(b"SERMENT-AUDIT" in each for each in told)


def test_a_box_may_answer_from_another_port() -> None:
    with box(SEARCHED[-1], URL, answers_from=HOST):
        (found,) = list(igd.ask(call(0, host=HOST)))
    assert found.facts == Gateway(manageable=Answer.YES)


def test_at_loopback_it_may_answer_from_another_address_of_this_machine() -> None:
    """As one does that listens at every address and is asked at one."""
    with box(SEARCHED[0], URL, answers_from=OTHER):
        (found,) = list(igd.ask(call(0, host=HOST)))
    assert found.place.host == HOST


def test_who_never_stops_answering_is_read_up_to_a_bound() -> None:
    over = threading.Event()
    with socket.socket(type=socket.SOCK_DGRAM) as opened:
        opened.bind((HOST, 0))

        def flood() -> None:
            _, sender = opened.recvfrom(4096)
            while not over.is_set():
                opened.sendto(b"HTTP/1.1 200 OK\r\n" + bytes(60_000), sender)

        flooding = threading.Thread(target=flood, daemon=True)
        flooding.start()
        asked = call(0, host=HOST)
        found = asked.dialer.answers(HOST, opened.getsockname()[1], [b"x"], asked.budget, 12)
        over.set()
        flooding.join()
    assert len(found) == 12
    assert {len(each) for each in found} == {4096}


def searched(*scope: str) -> dict[str, list[str]]:
    program = [sys.executable, "-m", "tests.unit.network.searching", *scope]
    done = subprocess.run(program, check=True, capture_output=True, cwd=ROOT, text=True)
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("search", SEARCHED)
def test_a_box_that_answers_only_what_is_sent_to_all_is_heard(search: str) -> None:
    with box(search, URL, group=True) as told:
        assert list(igd.ask(call(0, host=HOST))) == []
        ((host, (location,)),) = searched("127.9.9.9", HOST).items()
        assert host == HOST
        (found,) = list(igd.follow(call(0, host=HOST), [location]))
    assert found.facts == Gateway(manageable=Answer.YES)
    assert len(set(told)) == len(SEARCHED)  # others may search this machine at the same time
    assert all(b"SERMENT-AUDIT" in each for each in told)


@pytest.mark.parametrize("answers_from", ["", OTHER])
def test_an_answer_speaks_for_an_address_of_the_scope(answers_from: str) -> None:
    with box(SEARCHED[0], URL, group=True, answers_from=answers_from):
        assert list(searched("127.77.0.3", HOST)) == [HOST]
        assert searched("127.77.0.3") == {}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("127.0.0.1", "127.77.0.1", True),
        ("127.77.0.1", "192.168.1.9", False),
        ("192.168.1.9", "::ffff:192.168.1.9", True),
        ("192.168.1.9", "192.168.1.10", False),
        ("fe80::1%eth0", "fe80::1%eth0", True),
        ("fe80::1%eth0", "fe80::1%eth1", False),
    ],
)
def test_only_loopback_is_one_machine_at_several_addresses(
    one: str, other: str, expected: bool
) -> None:
    assert is_same_machine(one, other) is expected


def test_a_network_without_an_address_of_the_scope_is_not_asked() -> None:
    dialer = Dialer(Scope(["192.168.77.1", "fe80::1%lo"]))
    with pytest.raises(OutOfScope):
        dialer.search(HERE, ssdp.GROUPS[4], ssdp.PORT, [b"x"], Budget(1, 1), 1)
    assert ssdp.Search(dialer, [HERE]).locations() == {}


def test_a_network_that_is_not_there_any_more_answers_nothing() -> None:
    """Nothing is sent: there is no address to send from."""
    links = [Link("192.0.2.7", "192.0.2.0/24", "gone0"), Link("fe80::7", "fe80::/64", "gone0")]
    assert ssdp.Search(Dialer(Scope(["192.0.2.1", "fe80::1%gone0"])), links).locations() == {}


@pytest.mark.parametrize(
    "location", ["http://127.77.0.2:{port}/x", "http://192.0.2.1/x", "https://x", "x" * 3000, ""]
)
def test_a_description_elsewhere_is_not_fetched(location: str) -> None:
    with box(SEARCHED[0], location):
        assert list(igd.ask(call(0, host=HOST))) == []
