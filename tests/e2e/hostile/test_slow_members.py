"""Callers who may be here and take their time: one does not read what he asked for, one sends a
document a byte at a time, a device an object. Each is cut within about a minute, and others are
served all the while (what they meet: docs/limits.md).
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Iterator

import psutil
from tests.e2e.dicomweb.clinic import BOUNDARY, RELATED
from tests.e2e.hostile.conftest import MIB, House
from tests.e2e.oath.client import Client
from tests.practices import patient, study

from serment.core.dicom.fictional import Place, ct_slice

SCAN = study(patient(901, "LENTEUR^Aude"), 1)
ROUNDS = 400  # of half a second at least: several times what the limits say
SLICES = 80  # of half a MiB: more than the buffers between two ends take


@contextlib.contextmanager
def asking(house: House, said: str) -> Iterator[ssl.SSLSocket]:
    """A connection that has sent this much; who asks has little room for answers."""
    context = ssl.create_default_context(cafile=house.clinic.server.authority)
    with socket.socket() as plain:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        plain.settimeout(60)
        plain.connect(("127.0.0.1", int(house.clinic.server.web_port)))
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as secure:
            secure.sendall(said.replace("\n", "\r\n").encode())
            yield secure


def held(house: House, connection: socket.socket) -> bool:
    """Whether a process of the server holds the other end."""
    port = connection.getsockname()[1]
    server = psutil.Process(house.clinic.server.process.pid)
    ends = (end for one in server.children(recursive=True) for end in one.net_connections("tcp"))
    return any(end.raddr and end.raddr.port == port for end in ends)


def test_slow_members_and_devices_are_cut_while_others_are_served(house: House) -> None:
    clinic = house.clinic
    size = 0
    for start in range(0, SLICES, 20):
        slices = [ct_slice(SCAN, Place(1, n + 1), n) for n in range(start, start + 20)]
        clinic.store(*slices)
        size += sum(map(len, slices))
    member = Client(clinic.server).sign_in("docteur")
    whose = clinic.vault.json("search", SCAN.uid, "--as", "docteur")[0]["Patient"]
    head = "Host: 127.0.0.1\n"
    deaf = (
        f"GET /dicom-web/studies/{SCAN.uid} HTTP/1.1\n{head}"
        f"Authorization: Bearer {clinic.doctor}\n"
        'Accept: multipart/related; type="application/dicom"\n\n'
    )
    letter = (
        f"POST /patients/{whose}/documents HTTP/1.1\n{head}Cookie: {member.cookie}\n"
        "Sec-Fetch-Site: same-origin\nContent-Type: application/pdf\nX-Serment-Title: Lettre\n"
        "Content-Length: 100000\n\n%PDF-1.7"
    )
    device = (
        f"POST /dicom-web/studies HTTP/1.1\n{head}Authorization: Bearer {clinic.device}\n"
        f"Content-Type: {RELATED}\nContent-Length: 100000\n\n--{BOUNDARY}\n\n"
    )
    with (
        asking(house, deaf) as reader,
        asking(house, letter) as writer,
        asking(house, device) as sender,
    ):
        left = [reader, writer, sender]
        assert all(held(house, each) for each in left)
        for _ in range(ROUNDS):
            assert clinic.get(f"/studies/{SCAN.uid}/series").status_code == 200
            for each in (writer, sender):
                with contextlib.suppress(OSError):
                    each.send(b" ")
            time.sleep(0.5)
            left = [each for each in left if held(house, each)]
            if not left:
                break
        assert not left, "never cut"
        taken = 0
        with contextlib.suppress(OSError):
            while more := reader.recv(MIB):
                taken += len(more)
    assert 0 < taken < size
