"""The receiver: DICOM associations and the intake socket, public keys only; one process or several.

The first process mends the vault, listens, and serves together with its helpers (`crew`). Started by
`serve` (or by `import` alone); ends when its standard input closes, so that it never outlives
whoever started it.
"""

from __future__ import annotations

import errno
import json
import os
import threading
from functools import partial
from pathlib import Path
from typing import Final

from serment.adapters.packs.local import LocalPacks
from serment.adapters.sqlite.store import SqliteStore
from serment.adapters.system import SystemClock, no_core_dumps, private_umask
from serment.app.protect.mending import mend
from serment.app.protect.receiver import SealedReceiver
from serment.bootstrap.children import watch_parent
from serment.bootstrap.crew import (
    CONNECTIONS,
    DICOM,
    FALLEN,
    INTAKE,
    START,
    STOP,
    Channel,
    Crew,
    useful_helpers,
)
from serment.bootstrap.folder import Folder, open_folder
from serment.bootstrap.logs import logger
from serment.core.crypto.selftest import self_test
from serment.entrypoints.dimse.server import DicomServer, HandOver
from serment.entrypoints.intake.server import IntakeServer
from serment.errors import SermentError

REFUSALS_EVERY_SECONDS: Final = 15.0


def run(root: Path, dicom: tuple[str, int] | None, helpers: int | None = None) -> int:
    """Receive until standard input closes; the first line printed says where.

    Args:
        dicom: where devices call; None takes uploads only.
        helpers: how many processes help this one; None = as many as are useful.
    """
    private_umask()
    no_core_dumps()
    folder = open_folder(root)
    wanted = useful_helpers() if helpers is None else helpers
    crew = Crew(wanted if dicom else 0, partial(_help, folder), _fallen)
    self_test()
    post = _Post(folder, crew)
    try:
        post.mend()
        crew.start()
        post.intake.start(folder.intake_socket)
        where = list(post.dicom.start(*dicom)) if dicom else None
        print(json.dumps({"dicom": where}), flush=True)  # noqa: T201 - the parent reads this line
        _until_closed(post)
    finally:
        crew.stop()
        post.close()
        crew.wait()
    return 0


class _Post:
    """What each of the processes works with."""

    def __init__(self, folder: Folder, crew: Crew | None = None) -> None:
        self._log, self._crew = logger("receiver"), crew
        self._store = SqliteStore(folder.database, folder.key_copy)
        self._packs, self._clock = LocalPacks(folder.packs), SystemClock()
        lock = threading.Lock()
        self.receiver = SealedReceiver(
            folder.vault, self._store, self._packs, self._clock, lambda: lock
        )
        self.intake = IntakeServer(
            self.receiver, on_fault=self.fault, hand_over=self._hand_over(INTAKE)
        )
        self.dicom = DicomServer(
            self.receiver, self._clock, on_fault=self.fault, hand_over=self._hand_over(DICOM)
        )

    def mend(self) -> None:
        for repair in mend(self._store, self._packs, self._clock):
            self._log.info("repaired", what=repair)

    def tell(self) -> None:
        """Journal the refusals of minutes that have ended; what cannot be written waits."""
        try:
            self.receiver.flush()
        except SermentError as error:
            self.fault(error)

    def close(self) -> None:
        """Let end what is under way, then journal what is left to say."""
        self.dicom.stop()
        self.intake.stop()
        self.receiver.flush(final=True)
        self._packs.close()
        self._store.close()

    def _hand_over(self, kind: bytes) -> HandOver | None:
        crew = self._crew
        if crew is None:
            return None
        return lambda connection, done: crew.hand_over(
            kind, self.dicom.active + self.intake.active, connection, done
        )

    def fault(self, error: Exception) -> None:
        """Nobody's refusal: a fault of ours, or of the system."""
        self._log.error("fault", type=type(error).__name__)


def _help(folder: Folder, channel: Channel) -> None:
    """In a helper: serve what is handed over until told to stop."""
    try:
        self_test()
        said = channel.next()
        if said is not None and said[0] == START:
            _serve(_Post(folder), channel)
    except Exception as error:
        logger("receiver").error("fault", type=type(error).__name__)
        raise


def _serve(post: _Post, channel: Channel) -> None:
    takes = {DICOM: post.dicom.take, INTAKE: post.intake.take}
    try:
        while (said := channel.next(REFUSALS_EVERY_SECONDS)) is None or said[0] != STOP:
            kind, connection, done = said or (b"", None, None)
            if connection is not None and done is not None:
                takes[kind](connection, done)
            elif kind in CONNECTIONS:
                post.fault(OSError(errno.EMFILE, os.strerror(errno.EMFILE)))
            post.tell()
    finally:
        post.close()


def _fallen() -> None:
    """A helper is gone: what it had open can be mended only when nobody else works, so end as it
    did; the next crew begins by mending."""
    logger("receiver").error("helper fell")
    os._exit(FALLEN)


def _until_closed(post: _Post) -> None:
    closed = threading.Event()
    watch_parent(closed)
    while not closed.wait(REFUSALS_EVERY_SECONDS):
        post.tell()
