"""`serment import`: hands files to a receiver, the running server's or one of its own.

The process that reads the files and may open a session never seals: the receiver, another
process, does. Which files are tried is decided in `adapters.files.sources`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from serment.adapters.files.sources import Found, Refused, find_sources
from serment.adapters.sqlite.store import SqliteStore
from serment.adapters.system import SystemClock, VaultLock
from serment.app.batches import batches
from serment.app.copying import renew
from serment.app.protect.sealing import receiving_circle
from serment.bootstrap.children import Child
from serment.bootstrap.folder import Folder, open_folder
from serment.bootstrap.house import signing
from serment.core.journal.caller import HERE
from serment.entrypoints.cli.world import ImportOrder, World
from serment.entrypoints.desk.request import Request
from serment.entrypoints.intake.client import IntakeClient
from serment.entrypoints.intake.framing import Result
from serment.entrypoints.local.client import is_running
from serment.errors import N_, NoSpace, Remark, SermentError, Unavailable
from serment.ports import Progress, ProgressFactory, Source

PER_REQUEST = 10_000  # files in one reception: an intake takes no more than ten times as many


@dataclass(slots=True)
class Summary:
    """What came of the files. Duplicates and conflicts are those seen within this run, unless a
    member's keys compared with the whole vault."""

    kept: list[str] = field(default_factory=list)  # object ids
    duplicates: int = 0
    conflicts: int = 0
    against_vault: bool = False
    refused: list[dict[str, str]] = field(default_factory=list)
    seen: dict[str, set[bytes]] = field(default_factory=dict)  # SOP Instance UID -> digests
    waiting: int = 0  # files found that have no answer yet

    def count(self, found: Found, digest: bytes, result: Result) -> None:
        if not result.ok:
            self.refuse_found(found.label, _reason(result))
            return
        self.waiting -= 1
        self.kept.append(result.object_id)
        before = self.seen.setdefault(result.sop_instance, set())
        if digest in before:
            self.duplicates += 1
        elif before:
            self.conflicts += 1
        before.add(digest)

    def refuse_found(self, path: str, reason: str) -> None:
        """One of those that looked like something to import."""
        self.waiting -= 1
        self.refuse(path, reason)

    def refuse(self, path: str, reason: str) -> None:
        self.refused.append({"path": path, "reason": reason})

    def answer(self, failure: SermentError | None = None) -> dict[str, Any]:
        """`failure`: what ended the import; files without an answer were not acknowledged."""
        ended = {} if failure is None else {"unanswered": self.waiting, "error": failure}
        return {
            "imported": len(self.kept) - self.duplicates,
            "duplicates": self.duplicates,
            "conflicts": self.conflicts,
            "against_vault": self.against_vault,
            "refused": self.refused,
            **ended,
        }


def _reason(result: Result) -> str:
    return Remark(result.reason, **result.values)


def bring(
    root: Path, order: ImportOrder, progress: ProgressFactory, world: World
) -> dict[str, Any]:
    """Import everything under the paths; what is refused is listed with its reason. What fails on
    the way ends it: the answer says what had come of it, `unanswered` files and the `error`.

    Raises:
        SermentError: nothing at all had come of it.
    """
    folder = open_folder(root)
    member = _member(root, order, world)
    summary = Summary()
    sources: list[Found] = []
    for one in find_sources(order.paths):
        if isinstance(one, Refused):
            summary.refuse(one.label, one.reason)
        else:
            sources.append(one)
    summary.waiting = len(sources)
    if sources:
        _check_circle(folder, order.circle)
    try:
        _send_all(folder, order, member, sources, summary, progress)
        if order.login is not None:
            _compare(root, order, summary, world)
    except SermentError as error:
        if summary.waiting == len(sources):
            raise
        return summary.answer(error)
    return summary.answer()


def _check_circle(folder: Folder, wanted: str | None) -> None:
    """Say at once, with the next step, that nobody could open what is imported."""
    store = SqliteStore(folder.database, folder.key_copy)
    try:
        receiving_circle(store, wanted)
    finally:
        store.close()


def _send_all(
    folder: Folder,
    order: ImportOrder,
    member: str | None,
    sources: list[Found],
    summary: Summary,
    progress: ProgressFactory,
) -> None:
    with receiving(folder), progress(N_("Importing")) as bar:
        bar.total(len(sources))
        client = IntakeClient(folder.intake_socket)
        source = Source("import", None, order.circle, **HERE, member=member)
        for some in batches([s for s in sources if not s.is_pdf], PER_REQUEST):
            _instances(client, source, some, summary, bar)
        _documents(client, source, [s for s in sources if s.is_pdf], order, summary, bar)


@contextmanager
def receiving(folder: Folder) -> Iterator[None]:
    """The server's receiver, or one of our own for as long as this lasts."""
    if is_running(folder.local_socket):
        yield
        return
    with VaultLock(folder.root) as lock, _settling(folder):
        child = Child("receiver", [str(folder.root)], (lock.fileno(),))
        child.start()
        try:
            yield
        finally:
            child.stop()


@contextmanager
def _settling(folder: Folder) -> Iterator[None]:
    """Do at the end what the worker of a server does."""
    store = SqliteStore(folder.database, folder.key_copy)
    try:
        try:
            with signing(folder, store, SystemClock()):
                yield
        finally:
            with suppress(NoSpace, Unavailable):  # the next server's worker writes it
                renew(store, SystemClock().now())
    finally:
        store.close()


class _Digested:
    """The chunks of a file, hashed on their way."""

    def __init__(self, found: Found) -> None:
        self._found, self.hash = found, hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._found.chunks():
            self.hash.update(chunk)
            yield chunk


def _instances(
    client: IntakeClient, source: Source, sources: list[Found], summary: Summary, bar: Progress
) -> None:
    files = [_Digested(found) for found in sources]
    results = client.instances(source, files)
    for found, file, result in zip(sources, files, results, strict=False):
        summary.count(found, file.hash.digest(), result)
        bar.step()


def _documents(
    client: IntakeClient,
    source: Source,
    sources: list[Found],
    order: ImportOrder,
    summary: Summary,
    bar: Progress,
) -> None:
    for found in sources:
        bar.step()
        if order.patient is None:
            summary.refuse_found(found.label, N_("a PDF document needs a patient: --patient ID"))
            continue
        file = _Digested(found)
        try:
            result = client.document(source, order.patient, found.title, file)
        except SermentError as error:
            summary.refuse_found(found.label, str(error))
            continue
        summary.count(found, file.hash.digest(), result)


def _member(root: Path, order: ImportOrder, world: World) -> str | None:
    """The id of who hands them over, whose password is right; None when nobody is named."""
    if order.login is None:
        return None
    found = world.ask(root, Request("repeats", {}, order.login, order.password))
    return str(found["member"])


def _compare(root: Path, order: ImportOrder, summary: Summary, world: World) -> None:
    options = {"objects": summary.kept}
    found = world.ask(root, Request("repeats", options, order.login, order.password))
    summary.duplicates, summary.conflicts = found["duplicates"], found["conflicts"]
    summary.against_vault = True
