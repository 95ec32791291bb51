"""The receiver process: DICOM associations and the intake socket, public keys only.

Started by `serve` (or by `import` alone); ends when its standard input closes, so that it never
outlives whoever started it.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path

from serment.adapters.packs.local import LocalPacks
from serment.adapters.sqlite.store import SqliteStore
from serment.adapters.system import SystemClock, no_core_dumps, private_umask
from serment.app.protect.mending import mend
from serment.app.protect.receiver import SealedReceiver
from serment.bootstrap.children import watch_parent
from serment.bootstrap.folder import open_folder
from serment.bootstrap.logs import logger
from serment.core.crypto.selftest import self_test
from serment.entrypoints.dimse.server import DicomServer
from serment.entrypoints.intake.server import IntakeServer

REFUSALS_EVERY_SECONDS = 15.0


def run(root: Path, dicom: tuple[str, int] | None) -> int:
    """Receive until standard input closes; the first line printed says where."""
    private_umask()
    no_core_dumps()
    self_test()
    folder = open_folder(root)
    log = logger("receiver")
    store = SqliteStore(folder.database, folder.key_copy)
    packs, clock = LocalPacks(folder.packs), SystemClock()
    for repair in mend(store, packs, clock):
        log.info("repaired", what=repair)
    lock = threading.Lock()
    receiver = SealedReceiver(folder.vault, store, packs, clock, lambda: lock)

    def fault(error: Exception) -> None:
        log.error("fault", type=type(error).__name__)

    intake = IntakeServer(receiver, on_fault=fault)
    intake.start(folder.intake_socket)
    server = DicomServer(receiver, clock, on_fault=fault)
    try:
        where = list(server.start(*dicom)) if dicom else None
        print(json.dumps({"dicom": where}), flush=True)  # noqa: T201 - the parent reads this line
        _until_closed(receiver)
    finally:
        if dicom:
            server.stop()
        intake.stop()
        receiver.flush(final=True)
        packs.close()
        store.close()
    return 0


def _until_closed(receiver: SealedReceiver) -> None:
    closed = threading.Event()
    watch_parent(closed)
    while not closed.wait(REFUSALS_EVERY_SECONDS):
        receiver.flush()
