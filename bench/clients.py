"""The clients of the bench: stock storescu, STOW-RS and plain GET over one kept connection."""

from __future__ import annotations

import http.client
import os
import ssl
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from bench.peers import CALLING, HOST, Peer, find
from bench.samples import Sample

_BOUNDARY = b"serment-bench-boundary"
_TIMEOUT_SECONDS = 300


def storescu(
    peer: Peer,
    samples: Sequence[Sample],
    associations: int = 1,
    environment: Mapping[str, str] | None = None,
) -> float:
    """Send with that many stock clients at once; seconds until the last has ended.

    Raises RuntimeError when a client says that something was not stored.
    """
    shares = [samples[number::associations] for number in range(associations)]
    command = [find("storescu"), "-aet", CALLING, "-aec", peer.called, HOST, str(peer.dicom_port)]
    begin = time.perf_counter()
    clients = [
        subprocess.Popen(
            [*command, *(str(sample.path) for sample in share)],
            env={**os.environ, **(environment or {})},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for share in shares
    ]
    said = [client.communicate(timeout=_TIMEOUT_SECONDS)[1] for client in clients]
    seconds = time.perf_counter() - begin
    if any(client.returncode for client in clients):
        raise RuntimeError(b"\n".join(said).decode(errors="replace")[-2000:])
    return seconds


def processor_seconds() -> float:
    """What this process, which is the STOW-RS client, has used so far."""
    times = os.times()
    return times.user + times.system


class Web:
    """One kept HTTP connection to a peer's DICOMweb service."""

    def __init__(self, peer: Peer) -> None:
        where = urlsplit(peer.web)
        self._root = where.path
        self._peer = peer
        self._connection: http.client.HTTPConnection
        if where.scheme == "https":
            context = ssl.create_default_context(cafile=peer.ca)
            self._connection = http.client.HTTPSConnection(
                where.hostname or HOST, where.port, timeout=_TIMEOUT_SECONDS, context=context
            )
        else:
            self._connection = http.client.HTTPConnection(
                where.hostname or HOST, where.port, timeout=_TIMEOUT_SECONDS
            )

    def close(self) -> None:
        self._connection.close()

    def get(self, path: str, accept: str) -> bytes:
        """The whole body. Raises RuntimeError for any status but 200."""
        headers = {"Accept": accept, **self._peer.headers}
        self._connection.request("GET", self._root + path, headers=headers)
        return self._body({200})

    def stow(self, body: bytes) -> bytes:
        """Store the parts of one prepared body (`stow_body`)."""
        kind = f'multipart/related; type="application/dicom"; boundary={_BOUNDARY.decode()}'
        headers = {
            "Content-Type": kind,
            "Accept": "application/dicom+json",
            **self._peer.sending_headers,
        }
        self._connection.request("POST", self._root + "/studies", body, headers)
        return self._body({200})

    def _body(self, accepted: set[int]) -> bytes:
        response = self._connection.getresponse()
        body = response.read()
        if response.status not in accepted:
            raise RuntimeError(f"HTTP {response.status}: {body[:500]!r}")
        return body

    def median_seconds(self, path: str, accept: str, times: int = 20) -> tuple[float, int]:
        """Median time of so many equal requests after two others, and the size of the answer."""
        for _ in range(2):
            size = len(self.get(path, accept))
        taken = []
        for _ in range(times):
            begin = time.perf_counter()
            self.get(path, accept)
            taken.append(time.perf_counter() - begin)
        return statistics.median(taken), size


def stow_body(paths: Sequence[Path]) -> bytes:
    """A multipart/related body of these files (DICOM PS3.18 section 10.5)."""
    part = b"--" + _BOUNDARY + b"\r\nContent-Type: application/dicom\r\n\r\n"
    return b"".join(part + path.read_bytes() + b"\r\n" for path in paths) + (
        b"--" + _BOUNDARY + b"--\r\n"
    )
