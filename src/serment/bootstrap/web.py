"""The web process: pages, DICOMweb and the local socket; holds the keys that sessions opened.

Never seals an arrival: uploads go on to the receiver. Ends, dropping the keys, when its standard
input closes.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn

from serment.adapters.decoder.pool import DecoderPool
from serment.adapters.documents.typesetting import Typst
from serment.adapters.system import no_core_dumps, private_umask
from serment.bootstrap.children import watch_parent
from serment.bootstrap.folder import Folder, open_folder
from serment.bootstrap.house import close_house, make_desk, open_house
from serment.bootstrap.logs import gather, logger
from serment.bootstrap.network import known_flaws, network
from serment.bootstrap.patience import PLACES, PatientProtocol, hurry_handshakes
from serment.bootstrap.posture import examine_this_host
from serment.core.records.vault import Setting
from serment.entrypoints.desk.auditor import Auditor
from serment.entrypoints.desk.desk import Desk
from serment.entrypoints.dicomweb.app import dicomweb_routes
from serment.entrypoints.intake.aclient import AsyncIntakeClient
from serment.entrypoints.local.server import local_app
from serment.entrypoints.web.app import create_app
from serment.entrypoints.web.practice import WebPractice
from serment.entrypoints.web.practice.exposure import Exposure
from serment.errors import N_, Unavailable

LOOK_SECONDS = 1.0


def run(root: Path, address: tuple[str, int], dicom: str) -> int:
    """Serve until standard input closes; the first line printed says where."""
    private_umask()
    no_core_dumps()
    folder = open_folder(root)
    log = logger("web")
    gather(log)
    house = open_house(folder)
    desk = make_desk(folder, house)
    auditor = Auditor(house, desk.held_key, network(), known_flaws)
    audits = Exposure(auditor, partial(examine_this_host, None), Typst(), known_flaws)
    decoder = DecoderPool()
    closed = threading.Event()
    try:
        listener = _listen(*address)
        watch_parent(closed)
        with asyncio.Runner(loop_factory=_new_loop) as runner:
            runner.run(_serve(folder, desk, decoder, audits, listener, dicom, closed, log))
    finally:
        desk.practice.lock_all("server stopped")
        auditor.close()
        decoder.close()
        close_house(house)
    return 0


def _new_loop() -> asyncio.AbstractEventLoop:
    """The fast one where there is one: TLS in it costs half as much processor time."""
    if sys.platform == "win32":
        return asyncio.new_event_loop()
    import uvloop

    return uvloop.new_event_loop()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise Unavailable(
            N_("cannot listen for the pages on {host}:{port}"),
            hint=N_("another program may use this port; choose one with --web HOST:PORT"),
            host=host,
            port=port,
        ) from error
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


async def _serve(
    folder: Folder,
    desk: Desk,
    decoder: DecoderPool,
    audits: Exposure,
    listener: socket.socket,
    dicom: str,
    closed: threading.Event,
    log: Any,
) -> None:
    intake = AsyncIntakeClient(folder.intake_socket)
    practice = WebPractice(desk, decoder, intake, dicom, audits)
    routes = dicomweb_routes(desk, decoder, intake)
    app = create_app(practice, _hosts(desk, listener), routes)
    pages = _server(
        app,
        ssl_certfile=str(folder.certificate),
        ssl_keyfile=str(folder.certificate_key),
    )
    hurry_handshakes()
    PatientProtocol.crowd.members = lambda: _members(desk)
    folder.local_socket.unlink(missing_ok=True)
    local = _server(local_app(desk), uds=str(folder.local_socket))
    serving = [
        asyncio.create_task(pages.serve(sockets=[listener])),
        asyncio.create_task(local.serve()),
        asyncio.create_task(_look(desk, practice, audits.auditor, log)),
    ]
    while not (pages.started and local.started):
        for task in serving:
            if task.done():
                task.result()
        await asyncio.sleep(0.02)
    folder.local_socket.chmod(0o600)
    print(json.dumps({"web": list(listener.getsockname()[:2])}), flush=True)  # noqa: T201
    await asyncio.to_thread(closed.wait)
    pages.should_exit = local.should_exit = True
    intake.close()
    serving[2].cancel()
    await asyncio.gather(*serving, return_exceptions=True)
    practice.flush(final=True)
    with contextlib.suppress(OSError):
        folder.local_socket.unlink(missing_ok=True)


def _members(desk: Desk) -> set[str]:
    """The addresses where somebody is signed in."""
    return {session.peer.host for session in list(desk.practice.sessions.values())}


def _hosts(desk: Desk, listener: socket.socket) -> list[str]:
    """The names and addresses this server answers under: those of its certificate."""
    setting = desk.house.store.get(Setting, "names")
    names = setting.value.decode().split("\n") if setting and setting.value else []
    host = listener.getsockname()[0]
    return ["localhost", "127.0.0.1", "[::1]", f"[{host}]" if ":" in host else host, *names]


def _server(app: Any, **where: Any) -> uvicorn.Server:
    """One server without access log (no address, no query is ever written) and signal handling."""
    config = uvicorn.Config(
        app,
        access_log=False,
        log_config=None,
        forwarded_allow_ips=["127.0.0.1", "::1"],  # a proxy of this machine says who calls
        server_header=False,
        date_header=False,
        lifespan="off",
        timeout_graceful_shutdown=5,
        limit_concurrency=PLACES,
        http=PatientProtocol,
        h11_max_incomplete_event_size=64 * 1024,
        **where,
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined,unused-ignore]
    return server


async def _look(desk: Desk, practice: WebPractice, auditor: Auditor, log: Any) -> None:
    """Every second: what came, which sessions are over. Not an activity of anybody. A fault must
    not end it: without it no idle session would lock any more."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        try:
            await asyncio.to_thread(_tick, desk, practice)
            await asyncio.to_thread(auditor.tick)
        except Exception as error:  # noqa: BLE001 - the loop of an entry point; it goes on
            log.error("look failed", type=type(error).__name__)


def _tick(desk: Desk, practice: WebPractice) -> None:
    desk.practice.expire()
    practice.flush()
    if not desk.practice.locked():
        desk.practice.refresh()
    desk.practice.tidy()
