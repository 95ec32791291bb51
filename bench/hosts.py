"""A practice's network on loopback for the audit: `python bench/hosts.py`, ready when it prints so.

Some 25 of the 254 addresses of 127.88.0.0/24 have a service, in the protocols an audit must know;
one more is a tarpit that says a byte from time to time. Patients are fictional.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pydicom.dataset import Dataset
from pynetdicom import AE, evt
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    StudyRootQueryRetrieveInformationModelFind,
    Verification,
)

NETWORK = "127.88.0"
TARPIT = f"{NETWORK}.250"
Talk = Callable[[socket.socket], None]


def dicom(host: str, port: int, title: str) -> None:
    """An archive of three patients; with a title it insists on it."""
    entity = AE(ae_title=title or "ARCHIVE")
    entity.require_called_aet = bool(title)
    for sop_class in (Verification, StudyRootQueryRetrieveInformationModelFind):
        entity.add_supported_context(sop_class)
    entity.start_server((host, port), block=False, evt_handlers=[(evt.EVT_C_FIND, _found)])


def _found(_event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
    for number in range(3):
        study = Dataset()
        study.PatientID = f"FICTIF{number}"
        study.StudyInstanceUID = f"2.25.{number + 1}"
        yield 0xFF00, study


def web(host: str, port: int, pages: dict[str, object]) -> None:
    """A web server with these pages: text, or JSON."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            page = pages.get(self.path.partition("?")[0])
            text = page if isinstance(page, str) else json.dumps(page)
            self.send_response(404 if page is None else 200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()


def speaking(host: str, port: int, talk: Talk) -> None:
    """A server that does one thing with whoever calls."""

    def serve() -> None:
        with socket.create_server((host, port), backlog=50) as server:
            while True:
                peer, _ = server.accept()
                threading.Thread(target=_one, args=(peer, talk), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()


def _one(peer: socket.socket, talk: Talk) -> None:
    with peer:
        try:
            talk(peer)
        except OSError:
            return


def banner(text: bytes, answer: bytes) -> Talk:
    def talk(peer: socket.socket) -> None:
        peer.sendall(text)
        while peer.recv(4096):
            peer.sendall(answer)

    return talk


def silent(peer: socket.socket) -> None:
    while peer.recv(65536):
        pass


def mllp(peer: socket.socket) -> None:
    if peer.recv(4096).startswith(b"\x0b"):
        peer.sendall(b"\x0bMSH|^~\\&|B|B|A|A|1||ACK|1|P|2.5\rMSA|AA|1\r\x1c\r")
    silent(peer)


def tarpit(peer: socket.socket) -> None:
    while True:
        peer.sendall(b"x")
        time.sleep(0.3)


def start() -> None:
    hosts = (f"{NETWORK}.{10 * number}" for number in range(1, 25))
    ftp = banner(b"220 FTP\r\n", b"530 no\r\n")
    for title in ("", "", "PACS", "ORTHANC", "CABINET7X", "CABINET7X"):
        dicom(next(hosts), 11112, title)
    system = {"DicomAet": "ORTHANC", "Version": "1.12.1", "ApiVersion": 20}
    web(next(hosts), 8042, {"/": "<title>Orthanc</title>", "/system": system})
    web(next(hosts), 8080, {"/fhir/Patient": {"resourceType": "Bundle", "total": 3}})
    web(next(hosts), 80, {"/": "<title>Index of /</title><a href='a.dcm'>a</a>"})
    for title in ("DSM 7 Synology", "HP LaserJet", "Livebox", "OHIF Viewer", "Cabinet"):
        web(next(hosts), 80, {"/": f"<title>{title}</title>"})
    for port, talk in (
        (21, ftp),
        (21, ftp),
        (22, banner(b"SSH-2.0-OpenSSH_9.2\r\n", b"")),
        (23, banner(b"\xff\xfd\x18login: ", b"login: ")),
        (2575, mllp),
        (5900, banner(b"RFB 003.008\n", b"\x01\x02")),
        (6379, banner(b"", b"-NOAUTH Authentication required.\r\n")),
        (11211, banner(b"", b"ERROR\r\n")),
        (445, silent),
        (8443, silent),
    ):
        speaking(next(hosts), port, talk)
    speaking(TARPIT, 5000, tarpit)


def main() -> None:
    start()
    print("ready", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
