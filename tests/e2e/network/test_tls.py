"""What is inside TLS, and how strong TLS is, for whoever has no certificate."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from datetime import datetime
from pathlib import Path

import pytest
from tests.e2e.network.certificates import NOW, certificate
from tests.e2e.network.running import archives, audited

from serment.core.exposure.findings import Readable, Unit
from serment.core.exposure.seen import Answer, Dicom, Http, Service


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Service]:
    folder = tmp_path_factory.mktemp("certificates")
    cert, key = map(str, certificate(folder))
    issued, its_key = map(str, certificate(folder, "issued.example", bits=0, issuer="authority"))
    old, old_key = map(str, certificate(folder, "old.example", days=-3))
    kinds: dict[str, dict[str, object]] = {
        "anybody": {"certificate": cert, "key": key},
        "devices only": {"certificate": cert, "key": key, "authority": cert},
        "devices only, TLS 1.2": {
            "certificate": cert,
            "key": key,
            "authority": cert,
            "newest": "TLSv1_2",
        },
        "anybody, TLS 1.2": {"certificate": cert, "key": key, "newest": "TLSv1_2"},
        "one caller, TLS 1.3": {
            "certificate": cert,
            "key": key,
            "oldest": "TLSv1_3",
            "most": 1,
        },
        "nothing but anonymous": {
            "certificate": cert,
            "key": key,
            "newest": "TLSv1_2",
            "ciphers": "aNULL:@SECLEVEL=0",
        },
        "nothing encrypted": {
            "certificate": cert,
            "key": key,
            "newest": "TLSv1_2",
            "ciphers": "NULL-SHA256:@SECLEVEL=0",
        },
        "anonymous too": {
            "certificate": cert,
            "key": key,
            "ciphers": "ALL:@SECLEVEL=0",
        },
        "issued": {"certificate": issued, "key": its_key},
        "expired": {"certificate": old, "key": old_key},
    }
    with archives(*({"patients": 2, **settings} for settings in kinds.values())) as ports:
        found = audited(*ports)
    return {kind: found[port] for kind, port in zip(kinds, ports, strict=True)}


def test_dicom_is_found_inside_tls(seen: dict[str, Service]) -> None:
    service = seen["anybody"]
    assert service.protocol == "dicom"
    assert isinstance(service.facts, Dicom)
    assert service.facts.patients == Readable(2, False, Unit.PATIENTS)
    assert service.tls is not None
    assert service.tls.client_certificate is Answer.REFUSED
    assert service.tls.versions == ("TLSv1.2", "TLSv1.3")


def test_a_small_node_inside_tls_has_a_place_for_the_question(seen: dict[str, Service]) -> None:
    service = seen["one caller, TLS 1.3"]
    assert isinstance(service.facts, Dicom)
    assert service.facts.patients == Readable(2, False, Unit.PATIENTS)
    assert service.tls is not None
    assert (service.tls.versions, service.tls.key_bits) == (("TLSv1.3",), 2048)


@pytest.mark.parametrize("kind", ["devices only", "devices only, TLS 1.2"])
def test_a_node_that_wants_a_certificate_shows_nothing_else(
    seen: dict[str, Service], kind: str
) -> None:
    service = seen[kind]
    assert (service.protocol, service.facts) == ("tls", None)
    assert service.tls is not None
    assert service.tls.client_certificate is Answer.YES
    assert service.tls.expires is not None


def test_an_older_version_is_told(seen: dict[str, Service]) -> None:
    service = seen["anybody, TLS 1.2"]
    assert service.protocol == "dicom"
    assert service.tls is not None
    assert service.tls.versions == ("TLSv1.2",)
    assert service.tls.client_certificate is Answer.REFUSED


@pytest.mark.parametrize(
    ("kind", "weak", "versions"),
    [
        ("nothing but anonymous", ("anonymous",), ("TLSv1.2",)),
        ("nothing encrypted", ("NULL",), ("TLSv1.2",)),
        ("anonymous too", ("anonymous",), ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")),
        ("anybody", (), ("TLSv1.2", "TLSv1.3")),
    ],
)
def test_sessions_that_protect_nothing_are_told(
    seen: dict[str, Service], kind: str, weak: tuple[str, ...], versions: tuple[str, ...]
) -> None:
    service = seen[kind]
    assert service.protocol == "dicom"
    assert service.tls is not None
    assert (service.tls.weak, service.tls.versions[-2:]) == (weak, versions[-2:])
    assert service.tls.understood


def test_certificates_are_read(seen: dict[str, Service]) -> None:
    read = {kind: each.tls for kind, each in seen.items() if each.tls}
    assert (read["anybody"].key_kind, read["anybody"].key_bits) == ("RSA", 2048)
    assert (read["issued"].key_kind, read["issued"].key_bits) == ("EC", 256)
    assert read["anybody"].self_signed
    assert not read["issued"].self_signed
    assert read["anybody"].signature == "sha256"
    ends = read["expired"].expires
    assert isinstance(ends, datetime)
    assert ends < NOW


def test_a_tls_port_that_complains_in_clear_is_still_tls(tmp_path: Path) -> None:
    """As nginx, Apache and Go do: "400 The plain HTTP request was sent to HTTPS port"."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate(tmp_path))

    def answer(peer: socket.socket, status: str, page: str) -> None:
        peer.recv(65536)
        head = f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {len(page)}\r\n\r\n"
        peer.sendall((head + page).encode())

    def talk(peer: socket.socket) -> None:
        with peer, contextlib.suppress(OSError):
            if peer.recv(1, socket.MSG_PEEK) != b"\x16":
                answer(peer, "400 Bad Request", "plain HTTP request was sent to HTTPS port")
                return
            with context.wrap_socket(peer, server_side=True) as inside:
                answer(inside, "200 OK", "<title>OHIF Viewer</title>")

    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    peer, _ = server.accept()
                    threading.Thread(target=talk, args=(peer,), daemon=True).start()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        port = server.getsockname()[1]
        service = audited(port)[port]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
    assert isinstance(service.facts, Http)
    assert service.facts.application == "ohif"
    assert service.tls is not None
    assert service.tls.self_signed
