"""Acknowledged means durable: one of the processes that receive is killed at random moments while
devices send."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.e2e.oath.aftermath import complaints, data_sets, opened, receivers_of
from tests.e2e.oath.premises import Premises
from tests.e2e.oath.sender import Sender
from tests.e2e.readable import check_nothing_readable
from tests.e2e.receiving.conftest import data_set
from tests.e2e.serving import Server, serving

from serment.bootstrap.crew import useful_helpers
from serment.core.journal.entries import EventKind
from serment.core.journal.log import entry_of
from serment.core.records.vault import Envelope, StoredObject
from serment.errors import IntegrityError

KILLS = 20
SMALL, LARGE = 3000, 5 * 1024 * 1024  # bytes of pixels: into the shared pack, into one of its own
PATIENCE_SECONDS = 60


def kill_again_and_again(server: Server, senders: list[Sender], moments: random.Random) -> set[int]:
    """Kill one of them `KILLS` times, each time once something was acknowledged; the first
    process of each crew that one was killed of."""
    killed: set[int] = set()
    while len(killed) < KILLS:
        for sender in senders:
            sender.progress.clear()
        assert senders[0].progress.wait(PATIENCE_SECONDS), server.log.read_text()
        time.sleep(moments.uniform(0, 0.25))
        crew = receivers_of(server)
        if len(crew) > useful_helpers() and crew[0] not in killed:
            killed.add(crew[0])
            os.kill(moments.choice(crew), signal.SIGKILL)
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
        senders = [Sender(lambda: port, size) for size in (SMALL, LARGE, SMALL)]
        with ExitStack() as stack:
            for sender in senders:
                stack.enter_context(sender)
            killed = kill_again_and_again(server, senders, random.Random(20))
            senders[0].progress.clear()
            assert senders[0].progress.wait(PATIENCE_SECONDS)
            assert senders[1].acknowledged
        receiving = premises.vault.json("status")["receiving"]
        last = receivers_of(server)[0]
    return Aftermath(
        premises,
        {uid: digest for sender in senders for uid, digest in sender.sent.items()},
        {uid: digest for sender in senders for uid, digest in sender.acknowledged.items()},
        killed,
        last,
        receiving,
        server.log.read_text(),
    )


def test_every_acknowledged_instance_is_there_and_identical(aftermath: Aftermath) -> None:
    assert len(aftermath.acknowledged) > 5 * KILLS
    with opened(aftermath.premises) as (_, found):
        lost = {uid for uid in aftermath.acknowledged if uid not in found}
        assert lost == set()
        changed = {u for u, d in aftermath.acknowledged.items() if found[u] != [d]}
        assert changed == set()


def test_a_lost_pack_is_noticed(aftermath: Aftermath, tmp_path: Path) -> None:
    """A seeded weakness: the comparison would see what a receiver had lost."""
    weak = aftermath.premises.copy(tmp_path)
    next((weak.root / "packs").rglob("*.pack")).unlink()
    with pytest.raises(IntegrityError, match="is missing"):
        data_sets(weak)


def test_nothing_is_half_there(aftermath: Aftermath) -> None:
    """Whatever is shown is whole, acknowledged or not; no pack is torn, no row leads nowhere."""
    with opened(aftermath.premises) as (desk, found):
        assert all(found[uid] == [aftermath.sent[uid]] for uid in found)
        assert desk.house.store.count(StoredObject) == len(found)
    assert complaints(aftermath.premises) == []


def test_nothing_is_readable(aftermath: Aftermath) -> None:
    uids = sorted(aftermath.sent)[::10]
    check_nothing_readable(aftermath.premises.root, [data_set(uid, pixels=SMALL) for uid in uids])


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
    assert aftermath.last not in aftermath.killed
    assert aftermath.receiving is True
    assert aftermath.log.count('"restarted"') == KILLS
