"""`python -m bench.plain VAULT DICOM WEB`: Serment without TLS, for the rows that ask for it.

Serment itself cannot be told to do so. Receiver and web process are the delivered ones, started as
`serve` starts them, but that the web process leaves out the certificate. Loopback only.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from serment.bootstrap import web
from serment.bootstrap.addresses import parse_address
from serment.bootstrap.children import WIPED, Child
from serment.bootstrap.stopping import when_told_to_stop

WEB = "--web-process"


def main(vault: str, dicom: str, address: str) -> int:
    """Serve until SIGTERM; the first line printed is that of `serve --json`."""
    if not (parse_address(dicom).is_loopback and parse_address(address).is_loopback):
        raise SystemExit("without TLS: on loopback only")
    stopping = threading.Event()
    when_told_to_stop(stopping.set)
    receiver = Child("receiver", [vault, dicom])
    receiver.start()
    pages = _start_web(vault, address, dicom)
    try:
        assert pages.stdout is not None
        if not pages.stdout.readline():
            return 1  # it did not begin: somebody else may have the port
        ready = {"ready": True, "dicom": dicom, "web": f"http://{address}", "ca": ""}
        print(json.dumps(ready), flush=True)
        stopping.wait()
    finally:
        pages.kill()
        pages.wait()
        receiver.stop()
    return 0


def _start_web(vault: str, address: str, dicom: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "bench.plain", WEB, vault, address, dicom],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **WIPED},
    )


def _web(vault: str, address: str, dicom: str) -> int:
    """The web process, its server made without certificate."""
    make = web._server

    def without_tls(app: Any, **where: Any) -> Any:
        return make(app, **{k: v for k, v in where.items() if not k.startswith("ssl_")})

    web._server = without_tls
    web.hurry_handshakes = lambda: None  # there are none
    where = parse_address(address)
    return web.run(Path(vault), (where.host, where.port), dicom)


if __name__ == "__main__":
    words = sys.argv[1:]
    sys.exit(_web(*words[1:]) if words[0] == WEB else main(*words))
