"""A box is found whichever search it answers to, and only where its description is in scope."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from tests.unit.network.calling import call

from serment.adapters.network.probes import igd
from serment.core.exposure.igd import SEARCHED
from serment.core.exposure.seen import Answer, Gateway

HOST = "127.77.0.1"
DESCRIPTION = b"""<?xml version="1.0"?><root><device>
<deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:2</deviceType>
<manufacturer>Fictif</manufacturer><modelName>Box</modelName>
<service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:2</serviceType>
<controlURL>/ctl</controlURL></service></device></root>"""
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
def box(answers_to: str, location: str) -> Iterator[list[bytes]]:
    """A box that answers one kind of search; what it was told."""
    told: list[bytes] = []
    with HTTPServer((HOST, 0), Box) as server, socket.socket(type=socket.SOCK_DGRAM) as opened:
        try:
            opened.bind((HOST, igd.SSDP_PORT))
        except OSError:
            pytest.skip("port 1900 is taken here")
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
                    opened.sendto(answer, sender)

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
    with box(search, f"http://{HOST}:{{port}}/rootDesc.xml") as told:
        (found,) = list(igd.ask(call(0, host=HOST)))
    assert found.facts == Gateway(manageable=Answer.YES)
    assert len(told) == len(SEARCHED)
    assert all(b"SERMENT-AUDIT" in each for each in told)


@pytest.mark.parametrize(
    "location", ["http://127.77.0.2:{port}/x", "http://192.0.2.1/x", "https://x", "x" * 3000, ""]
)
def test_a_description_elsewhere_is_not_fetched(location: str) -> None:
    with box(SEARCHED[0], location):
        assert list(igd.ask(call(0, host=HOST))) == []
