"""Several processes receive as one: each has its share, the limits hold over all of them, and they
start, stop and fall together."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import psutil
import pytest
from tests.e2e.hostile.many import short
from tests.e2e.oath.aftermath import complaints, data_sets, receivers_of
from tests.e2e.oath.premises import AE_TITLE, Premises
from tests.e2e.oath.sender import SUCCESS, Association, Sender
from tests.e2e.receiving.conftest import Peer
from tests.e2e.serving import Server, serving

from serment.core.journal.entries import EventKind
from serment.core.journal.log import entry_of
from serment.core.records.vault import Envelope
from serment.entrypoints.dimse.limits import Limits
from serment.entrypoints.intake import framing, local
from serment.entrypoints.intake.framing import Request
from serment.ports import Source

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has helpers")
HELPERS = 2  # whatever the number of cores
COUNT = 1 + HELPERS
PATIENCE_SECONDS = 20


def eventually(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@dataclass
class Running:
    premises: Premises
    server: Server

    @property
    def port(self) -> int:
        return int(self.server.dicom_port)

    def shares(self) -> list[int]:
        """How many associations each process serves."""
        return [
            sum(c.status == "ESTABLISHED" for c in psutil.Process(pid).net_connections("tcp"))
            for pid in receivers_of(self.server)
        ]

    def uploads(self) -> list[int]:
        """How many uploads each process serves; the first one listens, too."""
        counts = [
            sum(
                str(c.laddr).endswith("intake.sock")
                for c in psutil.Process(pid).net_connections("unix")
            )
            for pid in receivers_of(self.server)
        ]
        return [counts[0] - 1, *counts[1:]]


@pytest.fixture(scope="module")
def running(founded: Premises, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    premises = founded.copy(tmp_path_factory.mktemp("several"))
    with serving(premises.vault, helpers=HELPERS) as server:
        yield Running(premises, server)


def test_each_process_has_its_share_of_the_associations(running: Running) -> None:
    assert len(receivers_of(running.server)) == COUNT
    sender = Sender(lambda: running.port, 3000)
    with ExitStack() as stack:
        peers = [stack.enter_context(Association(running.port)) for _ in range(2 * COUNT)]
        assert running.shares() == [2] * COUNT
        for peer in peers:
            assert sender.one(peer) == SUCCESS
            peer.release()
    eventually(lambda: running.shares() == [0] * COUNT)


def test_the_limit_of_one_address_counts_all_processes(running: Running) -> None:
    with ExitStack() as stack:
        peers = [
            stack.enter_context(Association(running.port))
            for _ in range(Limits().associations_per_address)
        ]
        with pytest.raises(AssertionError, match=r"\(3, "):  # A-ASSOCIATE-RJ
            stack.enter_context(Association(running.port))
        peers[-1].release()
        peers[-2].release()
        eventually(lambda: sum(running.shares()) == len(peers) - 2)
        for _ in range(2):
            stack.enter_context(Association(running.port)).release()
    eventually(lambda: sum(running.shares()) == 0)


def test_one_association_after_the_other_is_never_refused(running: Running) -> None:
    """Here, and, as one is held, in the other processes."""
    calling = AE_TITLE.encode()
    for _ in range(3 * Limits().associations_per_address):
        short(running.port, calling)
    with Association(running.port) as held:
        for _ in range(3 * Limits().associations_per_address):
            with Association(running.port) as peer:
                peer.release()
        held.release()


def test_uploads_are_shared_too(running: Running) -> None:
    socket = running.premises.root / "run" / "intake.sock"
    source = Source("import", None, "care", "127.0.0.1:50000", "127.0.0.1:8443")
    with ExitStack() as stack:
        uploads = [stack.enter_context(local.connect(socket)) for _ in range(COUNT)]
        for upload in uploads:
            upload.sendall(framing.encode_request(Request("instances", source)))
        eventually(lambda: running.uploads() == [1] * COUNT)
        for upload in uploads:
            upload.sendall(framing.HEAD.pack(framing.END, 0))
            with upload.makefile("rb") as answer:
                assert framing.parse_answer(answer.readline()) is None
    eventually(lambda: running.uploads() == [0] * COUNT)


def test_they_stop_together_and_nothing_is_lost(
    founded: Premises, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """An association under way is ended where it is; what was acknowledged is listed, and the journal
    says that it was cut short."""
    premises = founded.copy(tmp_path_factory.mktemp("stopping"))
    sender = Sender(lambda: 0, 3000)
    with serving(premises.vault, helpers=HELPERS) as server:
        crew = receivers_of(server)
        with ExitStack() as stack:
            for _ in crew:
                peer = stack.enter_context(Association(int(server.dicom_port)))
                assert sender.one(peer) == SUCCESS
            server.process.send_signal(signal.SIGINT)
            server.process.wait(60)
    assert not any(psutil.pid_exists(pid) for pid in crew)
    assert {u: [d] for u, d in sender.acknowledged.items()} == data_sets(premises)
    with premises.desk() as desk:
        store = desk.house.store
        assert all(envelope.closed for envelope in store.find(Envelope))
        entries = [entry for row in store.journal() if (entry := entry_of(row)) is not None]
        kinds = [entry.kind for entry in entries]
        assert kinds.count(EventKind.RECEPTION_INTERRUPTED) == len(crew)
        mended = {e.details.get("what") for e in entries if e.kind is EventKind.REPAIRED}
        assert "packs" not in mended
    assert complaints(premises) == []


@pytest.mark.parametrize("victim", [0, -1], ids=["the first", "a helper"])
def test_one_falls_and_all_are_new(running: Running, victim: int) -> None:
    """What was acknowledged by those that had to follow is there at once, not at some later start."""
    sender = Sender(lambda: running.port, 3000)
    crew = receivers_of(running.server)
    with ExitStack() as stack:
        for _ in crew:
            peer: Peer = stack.enter_context(Association(running.port))
            assert [sender.one(peer) for _ in range(3)] == [SUCCESS] * 3
        os.kill(crew[victim], signal.SIGKILL)
        eventually(lambda: not any(psutil.pid_exists(pid) for pid in crew))
    eventually(lambda: len(receivers_of(running.server)) == len(crew))
    eventually(lambda: bool(running.premises.vault.json("status")["receiving"]))
    assert not set(crew) & set(receivers_of(running.server))
    rows = running.premises.vault.json("search", "", "--as", "docteur", "--level", "instance")
    assert sender.acknowledged.keys() <= {row["SOPInstanceUID"] for row in rows}
