"""A receiver at work under strace, what it was sent, and what it answered when.

The receiver is the real process with its real files and sockets; `weakness` runs one in which a
promise is broken on purpose, so that a test can show that it would see it.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import struct
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e.faults.trace import OPTIONS, Event, read
from tests.e2e.oath.premises import Premises
from tests.e2e.oath.sender import SUCCESS, Association, digest, new_uid
from tests.e2e.receiving.conftest import CT, EXPLICIT, data_set

from serment.core.dicom.part10 import build_meta
from serment.entrypoints.intake.aclient import AsyncIntakeClient
from serment.entrypoints.intake.client import IntakeClient
from serment.ports import Source

WEAK = Path(__file__).with_name("weak_receiver.py")


@dataclass(frozen=True)
class Reply:
    """A success on its way to whoever sent these instances."""

    begun: int
    instances: tuple[str, ...]


@dataclass
class Recording:
    """What was sent, and what the process did."""

    premises: Premises  # as it is afterwards
    before: Path  # the folder as it was
    sent: dict[str, str] = field(default_factory=dict)  # UID -> SHA-256 of the data set
    acknowledged: set[str] = field(default_factory=set)  # as the senders heard it
    events: list[Event] = field(default_factory=list)

    @property
    def replies(self) -> list[Reply]:
        found = []
        for event in self.events:
            if event.call == "send":
                instances = (*_stored(event.data), *_taken_in(event.data))
                if instances:
                    found.append(Reply(event.begun, instances))
        return found


def _stored(data: bytes) -> Iterator[str]:
    """Instances of C-STORE responses with success (PS3.7 9.3.1.2), each in one P-DATA-TF."""
    while len(data) >= 12 and data[0] == 4:
        (length,) = struct.unpack_from(">I", data, 2)
        body, data = data[12 : 6 + length], data[6 + length :]
        elements: dict[int, bytes] = {}
        while len(body) >= 8:
            _, tag, size = struct.unpack_from("<HHI", body)
            elements[tag], body = body[8 : 8 + size], body[8 + size :]
        if elements.get(0x100) == b"\x01\x80" and elements.get(0x900) == b"\0\0":
            yield elements[0x1000].rstrip(b"\0").decode()


def _taken_in(data: bytes) -> Iterator[str]:
    """Instances of answers on the intake socket."""
    if data.startswith(b'{"results"'):
        for line in data.splitlines():
            for result in json.loads(line)["results"]:
                if result["status"] == SUCCESS:
                    yield result["sop_instance"]


class Sending:
    """What several senders do at a receiver, and what they were told."""

    def __init__(self, recording: Recording, port: int) -> None:
        self._recording, self._port = recording, port

    def association(self, *sizes: int) -> None:
        """One association with an instance of each size of pixels."""
        with Association(self._port) as peer:
            for size in sizes:
                uid, data = self._new(size)
                if peer.store(data, instance=uid) == SUCCESS:
                    self._recording.acknowledged.add(uid)
            peer.release()

    def together(self, associations: int, *sizes: int) -> None:
        """So many associations at the same time."""
        threads = [
            threading.Thread(target=self.association, args=sizes) for _ in range(associations)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def stow(self, *sizes: int) -> None:
        """One STOW-RS request, as the web process hands it over."""
        objects = dict(self._new(size) for size in sizes)
        body = b"".join(
            b"\r\n--b\r\nContent-Type: application/dicom\r\n\r\n" + build_meta(CT, u, EXPLICIT) + d
            for u, d in objects.items()
        )
        source = Source("stow", None, "care", "127.0.0.1:50000", "127.0.0.1:8443")
        content = 'multipart/related; type="application/dicom"; boundary=b'
        client = AsyncIntakeClient(self._recording.premises.root / "run" / "intake.sock")

        async def pieces() -> AsyncIterator[bytes]:
            yield body + b"\r\n--b--\r\n"

        for result in asyncio.run(client.stow(source, content, pieces())):
            if result.ok:
                self._recording.acknowledged.add(result.sop_instance)

    def files(self, *sizes: int) -> None:
        """One import of files."""
        objects = dict(self._new(size) for size in sizes)
        source = Source("import", None, "care", "127.0.0.1:50000", "127.0.0.1:8443")
        client = IntakeClient(self._recording.premises.root / "run" / "intake.sock")
        files = [[build_meta(CT, uid, EXPLICIT) + data] for uid, data in objects.items()]
        for result in client.instances(source, files):
            if result.ok:
                self._recording.acknowledged.add(result.sop_instance)

    def _new(self, pixels: int) -> tuple[str, bytes]:
        uid = new_uid()
        data = data_set(uid, pixels=pixels)
        self._recording.sent[uid] = digest(data)
        return uid, data


def record(
    strace: str, premises: Premises, work: Callable[[Sending], None], weakness: str = ""
) -> Recording:
    """Let a receiver of this vault do the work, from its start to its end."""
    before = premises.root.with_name("before")
    shutil.copytree(premises.root, before, ignore=shutil.ignore_patterns("run"))
    recording = Recording(premises, before)
    trace = premises.root.with_name("trace")
    own = [str(WEAK), weakness] if weakness else ["-m", "serment", "_receiver"]
    where = [str(premises.root), *(["127.0.0.1", "0"] if weakness else ["127.0.0.1:0"])]
    command = [strace, *OPTIONS, "-o", str(trace), sys.executable, *own, *where]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        work(Sending(recording, json.loads(process.stdout.readline())["dicom"][1]))
    finally:
        process.stdin.close()
        process.wait(60)
        process.stdout.close()
    recording.events = read(trace, premises.root)
    return recording
