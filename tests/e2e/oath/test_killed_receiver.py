"""Acknowledged means durable: the receiver is killed at random moments while devices send."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from tests.e2e.oath.premises import SECRET, Premises
from tests.e2e.oath.sender import Sender, digest
from tests.e2e.serving import Server, serving

from serment.bootstrap.doctor import examine_vault
from serment.core.dicom.part10 import read_meta
from serment.core.journal.entries import EventKind
from serment.core.journal.log import entry_of
from serment.core.records.vault import Envelope, StoredObject
from serment.entrypoints.desk.desk import Desk
from serment.ports import Matches

KILLS = 20
SMALL, LARGE = 3000, 5 * 1024 * 1024  # bytes of pixels: into the shared pack, into one of its own
PATIENCE_SECONDS = 60


def receiver(server: Server) -> psutil.Process | None:
    """The process that receives now, if there is one."""
    try:
        found = psutil.Process(server.process.pid).children()
        return next((each for each in found if "_receiver" in each.cmdline()), None)
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return None


def kill_again_and_again(server: Server, senders: list[Sender], moments: random.Random) -> set[int]:
    """Kill the receiver `KILLS` times, each time once it has acknowledged something; its pids."""
    killed: set[int] = set()
    while len(killed) < KILLS:
        for sender in senders:
            sender.progress.clear()
        assert senders[0].progress.wait(PATIENCE_SECONDS), server.log.read_text()
        time.sleep(moments.uniform(0, 0.25))
        process = receiver(server)
        if process is not None and process.pid not in killed:
            killed.add(process.pid)
            os.kill(process.pid, signal.SIGKILL)
    return killed


@dataclass
class Aftermath:
    """What was sent and what is there."""

    premises: Premises
    sent: dict[str, str]
    acknowledged: dict[str, str]
    killed: set[int]
    last: int
    receiving: bool
    log: str


@pytest.fixture(scope="module")
def aftermath(founded: Premises, tmp_path_factory: pytest.TempPathFactory) -> Aftermath:
    premises = founded.copy(tmp_path_factory.mktemp("killed"))
    with serving(premises.vault) as server:
        port = int(server.dicom_port)
        senders = [Sender(lambda: port, SMALL), Sender(lambda: port, LARGE)]
        with ExitStack() as stack:
            for sender in senders:
                stack.enter_context(sender)
            killed = kill_again_and_again(server, senders, random.Random(20))
            senders[0].progress.clear()
            assert senders[0].progress.wait(PATIENCE_SECONDS)
            assert senders[1].acknowledged
        receiving = premises.vault.json("status")["receiving"]
        last = receiver(server)
    small, large = senders
    return Aftermath(
        premises,
        {**small.sent, **large.sent},
        {**small.acknowledged, **large.acknowledged},
        killed,
        last.pid if last else 0,
        receiving,
        server.log.read_text(),
    )


@contextmanager
def opened(premises: Premises) -> Iterator[tuple[Desk, dict[str, list[str]]]]:
    """The vault opened by the doctor: SOP Instance UID -> SHA-256 of each data set that is there."""
    with premises.desk() as desk:
        session = desk.practice.sign_in("docteur", SECRET, need_code=False)
        reading = desk.reading(session)
        rows = reading.instances(Matches())
        found: dict[str, list[str]] = {}
        for row, reader in zip(rows, reading.open(rows, "image"), strict=True):
            data = reader.all()
            start = read_meta(data).dataset_offset
            found.setdefault(row.instance_uid, []).append(digest(data[start:]))
        yield desk, found


def test_every_acknowledged_instance_is_there_and_identical(aftermath: Aftermath) -> None:
    assert len(aftermath.acknowledged) > 5 * KILLS
    with opened(aftermath.premises) as (_, found):
        lost = {uid for uid in aftermath.acknowledged if uid not in found}
        assert lost == set()
        changed = {u for u, d in aftermath.acknowledged.items() if found[u] != [d]}
        assert changed == set()


def test_one_lost_row_is_noticed(aftermath: Aftermath, tmp_path: Path) -> None:
    """A seeded weakness: a row that no replay brings back."""
    weak = aftermath.premises.copy(tmp_path)
    with closing(sqlite3.connect(weak.root / "vault.sqlite3")) as database, database:
        database.execute("DELETE FROM stored_object WHERE cursor = 7")
    with opened(weak) as (_, found):
        assert len(aftermath.sent.keys() & found.keys()) == len(found)
        assert len({uid for uid in aftermath.sent if uid in found}) < _whole(aftermath)


def _whole(aftermath: Aftermath) -> int:
    with opened(aftermath.premises) as (_, found):
        return len(found)


def test_nothing_is_half_there(aftermath: Aftermath) -> None:
    """Whatever is shown is whole, acknowledged or not; no pack is torn, no row leads nowhere."""
    with opened(aftermath.premises) as (desk, found):
        assert all(found[uid] == [aftermath.sent[uid]] for uid in found)
        assert desk.house.store.count(StoredObject) == len(found)
    report = examine_vault(aftermath.premises.root, True, False, _silent)
    assert report["objects"] == len(found)
    assert [f for f in report["findings"] if "the kit is here" not in f["message"]] == []


def test_interrupted_receptions_are_closed_and_say_so(aftermath: Aftermath) -> None:
    with opened(aftermath.premises) as (desk, _):
        store = desk.house.store
        entries = [entry for row in store.journal() if (entry := entry_of(row)) is not None]
        interrupted = {
            envelope
            for entry in entries
            if entry.kind is EventKind.RECEPTION_INTERRUPTED
            for envelope in entry.details["envelopes"]
        }
        assert len(interrupted) >= KILLS
        envelopes = store.find(Envelope)
        assert all(envelope.closed for envelope in envelopes)
        assert interrupted <= {envelope.id for envelope in envelopes}
    assert aftermath.premises.vault.json("journal", "verify")["ok"] is True


def test_the_supervisor_started_it_again_each_time(aftermath: Aftermath) -> None:
    assert len(aftermath.killed) == KILLS
    assert aftermath.last not in {0, *aftermath.killed}
    assert aftermath.receiving is True
    assert aftermath.log.count('"restarted"') == KILLS


@contextmanager
def _silent(label: str) -> Iterator[_Silent]:
    yield _Silent()


class _Silent:
    def total(self, count: int) -> None:
        pass

    def step(self, count: int = 1) -> None:
        pass
