"""Sends files as devices do: C-STORE over a DICOM association, STOW-RS over HTTPS."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from pynetdicom import AE
from pynetdicom.association import Association

from serment.core.crypto.entropy import new_id
from serment.core.dicom.part10 import Meta, read_meta
from serment.errors import N_, Unavailable

CALLED = "SERMENT"
SUCCESS = 0x0000
HEAD = 4096  # bytes that hold the file meta information


def send_associations(address: str, calling: str, files: Sequence[Path]) -> int:
    """Send these files in one association; how many were acknowledged."""
    host, _, port = address.rpartition(":")
    ae = AE(ae_title=calling)
    for sop_class, syntax in sorted({(m.sop_class, m.transfer_syntax) for m in map(_meta, files)}):
        ae.add_requested_context(sop_class, syntax)
    association = ae.associate(host, int(port), ae_title=CALLED)
    if not association.is_established:
        raise Unavailable(N_("the DICOM association was refused"), hint=N_("see the server's log"))
    answer_the_caller(association)
    try:
        statuses = [association.send_c_store(path) for path in files]
    finally:
        association.release()
    return sum(status.get("Status") == SUCCESS for status in statuses)


def answer_the_caller(association: Association) -> None:
    """Leave every message to the thread that waits for it.

    pynetdicom 3.0.4's own loop may take an answer off the queue just before it pauses; the sender
    then waits for its time-out. A sender serves no requests, so that loop needs no message.
    """
    wait = association.dimse.get_msg
    association.dimse.get_msg = (  # type: ignore[method-assign]
        lambda block=False: wait(block) if block else (None, None)
    )


def _meta(path: Path) -> Meta:
    with path.open("rb") as stream:
        return read_meta(stream.read(HEAD))


def send_stow(url: str, authority: str, token: str, files: Sequence[Path]) -> int:
    """Send these files in one request; how many were acknowledged."""
    where = urlsplit(url)
    context = ssl.create_default_context(cafile=authority)
    connection = http.client.HTTPSConnection(
        where.hostname or "", where.port, context=context, timeout=60
    )
    boundary = new_id()
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/dicom+json",
        "Content-Type": f'multipart/related; type="application/dicom"; boundary={boundary}',
    }
    body = _parts(boundary, files)
    connection.request("POST", "/dicom-web/studies", body, headers, encode_chunked=True)
    response = connection.getresponse()
    answer = response.read()
    connection.close()
    if response.status not in (200, 202):
        raise Unavailable(
            N_("STOW-RS was refused with status {status}"),
            hint=N_("see the server's log"),
            status=response.status,
        )
    return len(json.loads(answer).get("00081199", {}).get("Value", []))


def _parts(boundary: str, files: Sequence[Path]) -> Iterator[bytes]:
    for path in files:
        yield f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        yield path.read_bytes()
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()
