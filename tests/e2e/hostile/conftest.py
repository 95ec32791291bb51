"""The real server of a practice, attacked from outside; an honest device at 127.0.0.1 works on."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from tests.e2e.dicomweb.clinic import Clinic, running
from tests.e2e.hostile.bombs import described
from tests.e2e.hostile.many import HELPERS, children, memory
from tests.e2e.oath.sender import new_uid
from tests.e2e.readable import check_nothing_readable
from tests.e2e.receiving.conftest import CT, EXPLICIT, Peer, data_set
from tests.e2e.serving import new_vault

MIB = 1 << 20
DEFLATED = "1.2.840.10008.1.2.1.99"
CONTEXTS = [
    (1, "1.2.840.10008.1.1", ["1.2.840.10008.1.2"]),
    (3, CT, [EXPLICIT]),
    (5, CT, [DEFLATED]),
]
LOOK_SECONDS = 0.02


@dataclass
class House:
    """The running server as strangers see it, and its processes that listen or serve who calls."""

    clinic: Clinic
    receivers: list[psutil.Process]
    web: list[psutil.Process]
    sent: list[bytes] = field(default_factory=list)  # by the honest device

    @property
    def root(self) -> Path:
        return self.clinic.vault.root

    def call(self, source: str = "127.0.0.1") -> Peer:
        """A connection to the DICOM port from an address of this machine."""
        port = int(self.clinic.server.dicom_port)
        return Peer(socket.create_connection(("127.0.0.1", port), 60, (source, 0)))

    @contextlib.contextmanager
    def associated(self) -> Iterator[Peer]:
        """An association of the declared device."""
        peer = self.call()
        peer.associate(contexts=CONTEXTS)
        yield peer
        peer.socket.close()

    def still_serves(self) -> None:
        """The honest device stores an image."""
        with self.associated() as peer:
            uid = new_uid()
            self.sent.append(data_set(uid, pixels=300))
            assert peer.store(self.sent[-1], instance=uid) == 0
            peer.release()


def files(house: House) -> set[str]:
    """The name of everything but of packs: random, and each receiving process begins its own."""
    own = re.compile(r"[0-9a-f]{2}|[0-9a-f]{32}\.(pack|open)")
    return {path.name for path in house.root.parent.rglob("*") if not own.fullmatch(path.name)}


@pytest.fixture(scope="package")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    vault = new_vault(tmp_path_factory.mktemp("hostile"), people=False)
    vault.json("member", "add", "docteur", "--role", "doctor")
    added = vault.json("device", "add", "Scanner", "--ae", "CT1", "--address", "127.0.0.1")
    with running(vault, HELPERS) as clinic:
        clinic.device, clinic.doctor = added["token"], clinic.unlock("docteur")
        pid = clinic.server.process.pid
        found = House(clinic, children(pid, "_receiver"), children(pid, "_web"))
        found.still_serves()  # whatever is made once is there
        yield found
    # locked again: neither what the device sent nor what attackers did can be read
    check_nothing_readable(found.root, [*found.sent, described("2.25.1")])


@contextlib.contextmanager
def growing_less(processes: list[psutil.Process], most: int) -> Iterator[None]:
    """The memory of these never grows by more than so many bytes during the block."""
    before = peak = memory(processes)
    over = threading.Event()

    def look() -> None:
        nonlocal peak
        while not over.wait(LOOK_SECONDS):
            peak = max(peak, memory(processes))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield
    finally:
        over.set()
        looking.join()
    peak = max(peak, memory(processes))
    assert peak - before <= most, f"{(peak - before) / MIB:.1f} MiB"
