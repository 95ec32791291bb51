"""The supervisor: takes the vault, starts receiver, web and worker, restarts what falls.

The receiver holds public keys only, the web process holds what sessions opened, the worker neither
(docs/architecture.md). All of them end with the supervisor.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serment.adapters.sqlite.store import SqliteStore
from serment.adapters.system import SystemClock, VaultLock, private_umask
from serment.app.protect.listening import check_may_listen
from serment.bootstrap.addresses import Address, parse_address
from serment.bootstrap.children import WIPED, Child
from serment.bootstrap.folder import Folder, open_folder
from serment.bootstrap.logs import logger
from serment.bootstrap.stopping import when_told_to_stop
from serment.errors import N_, SermentError

__all__ = ["Addresses", "Server", "parse_address", "serve"]

LOOK_SECONDS = 0.5
RESTARTS = 20  # of one child that fell again and again, before the server gives up
STEADY_SECONDS = 60.0  # a child that lived so long did not fall again: it fell
RETRY_SECONDS = 5.0  # until a child that could not start (the disk is full) is tried again


@dataclass(frozen=True, slots=True)
class Addresses:
    dicom: Address
    web: Address


class Server:
    """The running server of one vault."""

    def __init__(self, root: Path, addresses: Addresses, helpers: int | None = None) -> None:
        """`helpers`: how many processes help the receiver; None = as many as are useful."""
        private_umask()
        self.folder = open_folder(root)
        _check_closed(self.folder, addresses)
        self._lock = VaultLock(self.folder.root)
        keep = (self._lock.fileno(),)
        where, dicom, web = str(self.folder.root), str(addresses.dicom), str(addresses.web)
        wanted = [] if helpers is None else [str(helpers)]
        self.receiver = Child("receiver", [where, dicom, *wanted], keep)
        self.web = Child("web", [where, web, dicom], keep, WIPED)
        self.worker = Child("worker", [where], keep)
        self._log = logger("server")
        self._clock = SystemClock()
        self._restarts: dict[str, int] = {}
        self._started: dict[str, float] = {}  # when each child was started again, monotonic
        self._wait_until: dict[str, float] = {}

    def start(self) -> dict[str, Any]:
        """Start everything; the answer of `serve --json` once all of it listens."""
        try:
            self.worker.start()  # first: it notes what it finds unsigned
            dicom = str(Address(*self.receiver.start()["dicom"]))
            self.web.arguments[2] = dicom
            web = str(Address(*self.web.start()["web"]))
        except BaseException:
            self.stop()
            raise
        # started again, they must come back to the ports they were given
        self.receiver.arguments[1], self.web.arguments[1] = dicom, web
        return {
            "ready": True,
            "dicom": dicom,
            "web": f"https://{web}",
            "ca": str(self.folder.authority),
        }

    def watch(self, stopping: threading.Event) -> None:
        """Restart what falls until told to stop."""
        while not stopping.wait(LOOK_SECONDS):
            now = self._clock.monotonic()
            for child in (self.receiver, self.web, self.worker):
                if not child.alive() and now >= self._wait_until.get(child.name, 0.0):
                    self._restart(child, now)

    def _restart(self, child: Child, now: float) -> None:
        if now - self._started.get(child.name, now) > STEADY_SECONDS:
            self._restarts[child.name] = 0
        count = self._restarts[child.name] = self._restarts.get(child.name, 0) + 1
        if count > RESTARTS:
            raise SermentError(
                N_("the {name} process keeps falling"),
                hint=N_("run `serment doctor`, and look at the last log lines"),
                name=child.name,
            )
        self._log.error("restarted", what=child.name, count=count)
        self._started[child.name] = now
        try:
            child.start()
        except SermentError as error:
            self._restarts[child.name] -= 1  # it says why: the world may change
            self._wait_until[child.name] = now + RETRY_SECONDS
            self._log.error("not restarted", what=child.name, reason=error.message)

    def stop(self) -> None:
        """Web first (drops the keys), then the receiver, last the worker with its checkpoint."""
        for child in (self.web, self.receiver, self.worker):
            child.stop()
        self._lock.release()


def _check_closed(folder: Folder, addresses: Addresses) -> None:
    if addresses.dicom.is_loopback and addresses.web.is_loopback:
        return
    store = SqliteStore(folder.database, folder.key_copy)
    try:
        check_may_listen(store, certificate=folder.certificate.is_file())
    finally:
        store.close()


def serve(
    root: Path,
    addresses: Addresses,
    on_ready: Callable[[dict[str, Any]], None],
    helpers: int | None = None,
) -> int:
    """Serve until SIGINT or SIGTERM; `helpers` as for `Server`."""
    stopping = threading.Event()
    when_told_to_stop(stopping.set)
    server = Server(root, addresses, helpers)
    on_ready(server.start())
    try:
        server.watch(stopping)
    finally:
        server.stop()
    return 0
