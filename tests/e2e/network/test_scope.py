"""Nothing outside the order is called, wherever a peer points; a printer never gets a byte."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.e2e.network.running import HOST, audited
from tests.e2e.network.webs import Answer, web

from serment.adapters.network.local import LocalNetwork
from serment.core.exposure.seen import Answer as Said
from serment.core.exposure.seen import Dicom, Gateway, Http, Mapping, Service
from serment.ports.network import Order

OUTSIDE = "127.66.0.6"
BOX = "127.66.0.1"
FIELDS = (
    "NewExternalPort",
    "NewInternalClient",
    "NewInternalPort",
    "NewProtocol",
    "NewEnabled",
    "NewPortMappingDescription",
)
WAN = "urn:schemas-upnp-org:service:WANIPConnection:1"


def description(control: str, base: str = "") -> str:
    return (
        '<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0">'
        f"<URLBase>{base}</URLBase><device>"
        "<deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType>"
        "<manufacturer>Fictif</manufacturer><modelName>Box</modelName>"
        "<modelNumber>2</modelNumber><serviceList><service>"
        f"<serviceType>{WAN}</serviceType><controlURL>{control}</controlURL>"
        "</service></serviceList></device></root>"
    )


def envelope(**values: object) -> str:
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in values.items())
    return f'<s:Envelope xmlns:s="x"><s:Body>{inner}</s:Body></s:Envelope>'


def services(order: Order) -> list[Service]:
    return [each for each in LocalNetwork().audit(order) if isinstance(each, Service)]


@contextmanager
def ssdp(host: str, location: str) -> Iterator[list[bytes]]:
    """Answer searches on UDP 1900 of one address; what was asked."""
    asked: list[bytes] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((host, 1900))
        server.settimeout(0.2)
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                try:
                    data, peer = server.recvfrom(4096)
                except TimeoutError:
                    continue
                asked.append(data)
                server.sendto(f"HTTP/1.1 200 OK\r\nLOCATION: {location}\r\n\r\n".encode(), peer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield asked
        finally:
            over.set()
            thread.join()


@pytest.mark.parametrize(
    "location",
    [
        "http://{outside}/",
        "//{outside}/",
        "http://[::ffff:{outside}]/",
        "http://elsewhere.example:{port}@{outside}/",
    ],
)
def test_a_redirect_leads_nowhere_else(location: str) -> None:
    with web({}, host=OUTSIDE) as other:
        target = location.format(outside=f"{OUTSIDE}:{other.port}", port=other.port)
        moved = Answer("", 302, {"Location": target})
        with web({"/": moved}) as server:
            service = audited(server.port)[server.port]
    assert service.protocol == "http"
    assert other.asked == []


def test_a_redirect_to_its_own_name_stays_here() -> None:
    with web({}) as probe:
        port = probe.port
    pages = {
        "/": Answer("", 301, {"Location": f"http://archive.cabinet.example:{port}/in"}),
        "/in": Answer("<title>OHIF Viewer</title>"),
    }
    with web(pages, port=port) as server:
        facts = audited(port)[port].facts
    assert isinstance(facts, Http)
    assert facts.application == "ohif"
    assert "GET /in" in server.asked


def test_a_box_tells_what_it_forwards() -> None:
    mappings = (
        ("11112", "192.168.1.20", "104", "TCP", "1", "PACS &lt;b&gt;"),
        ("8080", "192.168.1.21", "80", "TCP", "0", "switched off"),
        ("500", "192.168.1.22", "500", "UDP", "1", ""),
        ("80", "not an address", "80", "TCP", "1", ""),
    )
    said = iter(
        [
            envelope(NewExternalIPAddress="203.0.113.9"),
            *(envelope(**dict(zip(FIELDS, values, strict=True))) for values in mappings),
        ]
    )
    end = envelope(errorCode=713)
    pages = {
        "/box.xml": Answer(description("/control")),
        "POST /control": Answer(lambda: next(said, end)),
    }
    with web(pages, host=BOX) as server, ssdp(BOX, f"http://{BOX}:{server.port}/box.xml") as asked:
        found = services(Order((BOX,), (server.port + 1,)))
    assert {data.split(b"\r\n")[0] for data in asked} == {b"M-SEARCH * HTTP/1.1"}
    (service,) = [each for each in found if each.protocol == "igd"]
    assert (service.place.host, service.place.port) == (BOX, server.port)
    assert (service.product, service.version) == ("Fictif Box", "2")
    assert isinstance(service.facts, Gateway)
    assert service.facts.outside_address == "203.0.113.9"
    assert service.facts.mappings == (
        Mapping(11112, "192.168.1.20", 104, "TCP", "PACS <b>"),
        Mapping(500, "192.168.1.22", 500, "UDP", ""),
        Mapping(80, "", 80, "TCP", ""),
    )
    assert not service.facts.partial


@pytest.mark.parametrize("scope", [(BOX,), (BOX, OUTSIDE)], ids=["outside", "in scope"])
@pytest.mark.parametrize("where", ["location", "control", "base"])
def test_a_box_leads_nowhere_else(where: str, scope: tuple[str, ...]) -> None:
    """Not even to a machine that is audited too: only the audit itself speaks to that one."""
    with web({"/box.xml": Answer(description("/control"))}, host=OUTSIDE) as other:
        away = f"http://{OUTSIDE}:{other.port}"
        control = f"{away}/control" if where == "control" else "/control"
        said = description(control, away if where == "base" else "")
        with web({"/box.xml": Answer(said)}, host=BOX) as server:
            place = f"http://{BOX}:{server.port}/box.xml"
            with ssdp(BOX, f"{away}/box.xml" if where == "location" else place):
                found = services(Order(scope, (server.port + 1,)))
    assert other.asked == []
    assert [
        m for each in found if isinstance(each.facts, Gateway) for m in each.facts.mappings
    ] == (list[Mapping]())


def audited_box(description: str, control: Answer) -> tuple[Gateway, list[str]]:
    """What a box with this description and these answers is taken for; what it was POSTed."""
    with (
        web({"/box.xml": Answer(description)}, host=BOX, otherwise=control) as server,
        ssdp(BOX, f"http://{BOX}:{server.port}/box.xml"),
    ):
        found = services(Order((BOX,), (server.port + 1,)))
    (facts,) = [each.facts for each in found if isinstance(each.facts, Gateway)]
    return facts, [each for each in server.asked if each.startswith("POST")]


def test_who_does_not_answer_in_soap_is_asked_once() -> None:
    facts, posted = audited_box(description("/control"), Answer("<html>Welcome!</html>"))
    assert posted == ["POST /control"]
    assert facts == Gateway(manageable=Said.NOTHING, partial=True)


def test_a_talkative_box_is_heard_to_a_bound() -> None:
    """Forty connections, whose lists never end, with descriptions as long as they may be."""
    number = iter(range(1, 60_000))
    many = "".join(
        f"<service><serviceType>{WAN}</serviceType><controlURL>/c{each}</controlURL></service>"
        for each in range(40)
    )
    said = description("/c").replace("</serviceList>", f"{many}</serviceList>")

    def entry() -> str:
        values = (next(number), "192.168.1.20", "104", "TCP", "1", "\N{BLACK CHESS KNIGHT}" * 2000)
        return envelope(**dict(zip(FIELDS, values, strict=True)))

    facts, posted = audited_box(said, Answer(entry))
    assert 0 < len(facts.mappings) <= 200
    assert facts.partial
    assert len(set(posted)) <= 4
    assert len(posted) <= 204


@pytest.mark.parametrize(
    ("port", "protocol"),
    [(515, "printer"), (9100, "printer"), (9107, "printer"), (9108, "silent")],
)
def test_a_printer_is_tried_and_never_written_to(port: int, protocol: str) -> None:
    """The port beside theirs shows that bytes would be heard."""
    host = "127.66.0.9"
    said: list[bytes] = []
    try:
        server = socket.create_server((host, port))
    except PermissionError:
        pytest.skip(f"only root may listen on port {port} here")
    with server:

        def serve() -> None:
            while True:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                with peer:
                    said.append(peer.recv(100))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        found = services(Order((host,), (port,)))
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
    assert [each.protocol for each in found] == [protocol]
    assert any(said) is (protocol != "printer")


def test_a_recheck_calls_nothing_else() -> None:
    with web({}) as wanted, web({}) as other:
        order = Order((HOST,), (wanted.port, other.port), only=frozenset({(HOST, wanted.port)}))
        found = services(order)
    assert [each.place.port for each in found] == [wanted.port]
    assert wanted.asked
    assert other.asked == []


def test_one_connection_at_a_time_to_a_service() -> None:
    """Counted by the service itself, which notices at once when one is closed."""
    most = open_now = 0
    lock = threading.Lock()
    with socket.create_server(("127.0.0.1", 0), backlog=20) as server:

        def talk(peer: socket.socket) -> None:
            nonlocal open_now
            with peer:
                while data := peer.recv(4096):
                    if data[:1] == b"\x01":  # an association: the called title is refused
                        peer.sendall(bytes.fromhex("03000000000400010107"))
                with lock:
                    open_now -= 1

        def serve() -> None:
            nonlocal most, open_now
            while True:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                with lock:
                    open_now += 1
                    most = max(most, open_now)
                threading.Thread(target=talk, args=(peer,), daemon=True).start()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        port = server.getsockname()[1]
        facts = audited(port, titles=("ONE", "TWO", "THREE"))[port].facts
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
    assert facts == Dicom(titles_tried=3, refusal="called")
    assert most == 1
