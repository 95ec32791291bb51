"""Chromium accepts the practice's certificate once it knows the authority, and no forged one.

The authority is put into the certificate store of a fresh home folder, as a person would do it in
the settings; libnss3, which Chromium itself depends on, writes that store.
"""

from __future__ import annotations

import ctypes
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from serment.core.crypto import certificates
from serment.core.crypto.secret import Seed

NOW = datetime.now(UTC)
SEEN = "seen by the browser"


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(f"<p>{SEEN}</p>".encode())

    def log_message(self, *_: object) -> None:
        pass


def trust(home: Path, authority: bytes) -> None:
    """Make the store that Chromium reads; in a process of its own, as NSS keeps global state."""
    store = home / ".pki/nssdb"
    store.mkdir(parents=True)
    (home / "authority.pem").write_bytes(authority)
    subprocess.run(
        [sys.executable, __file__, str(store), str(home / "authority.pem")], check=True, timeout=60
    )


def write_store(store: str, pem: str) -> None:
    class Item(ctypes.Structure):
        _fields_ = (("kind", ctypes.c_int), ("data", ctypes.c_char_p), ("size", ctypes.c_uint))

    class Trust(ctypes.Structure):
        _fields_ = (("ssl", ctypes.c_uint), ("mail", ctypes.c_uint), ("code", ctypes.c_uint))

    nss, pointer = ctypes.CDLL("libnss3.so"), ctypes.c_void_p
    for function in ("PK11_GetInternalKeySlot", "CERT_GetDefaultCertDB", "CERT_NewTempCertificate"):
        getattr(nss, function).restype = pointer
    assert nss.NSS_InitReadWrite(f"sql:{store}".encode()) == 0
    slot = pointer(nss.PK11_GetInternalKeySlot())
    assert nss.PK11_InitPin(slot, None, b"") == 0
    der = ssl.PEM_cert_to_DER_cert(Path(pem).read_text())
    database = pointer(nss.CERT_GetDefaultCertDB())
    item = Item(0, der, len(der))
    certificate = pointer(nss.CERT_NewTempCertificate(database, ctypes.byref(item), None, 0, 1))
    assert nss.PK11_ImportCert(slot, certificate, 0, b"practice", 0) == 0
    trusted = Trust()
    assert nss.CERT_DecodeTrustString(ctypes.byref(trusted), b"C,,") == 0
    assert nss.CERT_ChangeCertTrust(database, certificate, ctypes.byref(trusted)) == 0


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[bytes, bytes], int]]:
    """`serve(certificate, key)` is the port of a page served with them."""
    servers: list[tuple[HTTPServer, threading.Thread]] = []

    def start(certificate: bytes, key: bytes) -> int:
        (tmp_path / "cert.pem").write_bytes(certificate)
        (tmp_path / "key.pem").write_bytes(key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
        server = HTTPServer(("127.0.0.1", 0), Page)
        server.handle_error = lambda *_: None  # a browser that refuses hangs up
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        servers.append((server, thread))
        return server.server_port

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def look(tool: Callable[[str], str], tmp_path: Path) -> Callable[[str, bytes | None], str]:
    """`look(url, authority)` is the page as Chromium shows it, trusting that authority."""

    def browse(url: str, authority: bytes | None) -> str:
        home = tmp_path / f"home{len(list(tmp_path.iterdir()))}"
        home.mkdir()
        if authority:
            trust(home, authority)
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        flags += ["--no-first-run", "--disable-background-networking", "--dump-dom"]
        flags += ["--host-resolver-rules=MAP bank.test 127.0.0.1", f"--user-data-dir={home}/data"]
        done = subprocess.run(
            [tool("chromium"), *flags, url],
            env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=120,
        )
        return done.stdout

    return browse


@pytest.mark.real("chromium")
def test_chromium_accepts_it_from_an_authority_it_knows(serve, look):
    authority, key = certificates.make_authority("Cabinet de l'Étoile", ["serment.test"], NOW)
    issued = certificates.issue(
        authority, key, ["localhost", "serment.test"], ["127.0.0.1", "::1"], NOW, 825
    )
    port = serve(*issued)
    assert SEEN in look(f"https://127.0.0.1:{port}/", authority)
    assert SEEN not in look(f"https://127.0.0.1:{port}/", None)


@pytest.mark.real("chromium")
def test_chromium_refuses_what_a_thief_signs_with_the_stolen_key(serve, look):
    """The same key under an authority that says it may sign for the bank: the constraints of
    the authority that the browser knows decide, not those the thief writes."""
    authority, key = certificates.make_authority("Cabinet", [], NOW)
    unlimited = widened(authority, key)
    port = serve(*certificates.issue(unlimited, key, ["bank.test"], [], NOW, 30))
    assert SEEN in look(f"https://bank.test:{port}/", unlimited)  # control: the page is there
    assert SEEN not in look(f"https://bank.test:{port}/", authority)


def widened(authority: bytes, key: Seed) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding

    known = x509.load_pem_x509_certificate(authority)
    signer = ec.derive_private_key(int.from_bytes(key.reveal(), "big"), ec.SECP256R1())
    builder = x509.CertificateBuilder(
        known.subject,
        known.subject,
        known.public_key(),
        known.serial_number,
        known.not_valid_before_utc,
        known.not_valid_after_utc,
    )
    bank = x509.NameConstraints([x509.DNSName("bank.test")], None)
    forged = builder.add_extension(bank, critical=True).sign(signer, SHA256())
    return forged.public_bytes(Encoding.PEM)


if __name__ == "__main__":
    write_store(*sys.argv[1:])
