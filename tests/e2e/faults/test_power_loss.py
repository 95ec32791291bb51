"""The power goes at any moment of an ingest: what was acknowledged is there, and nothing is half
there, whatever the disk had kept of what was not synced.

kill -9 does not show that: the system's memory survives it. So a real receiver is recorded
(`recording`), and the vault is built again as a disk may have kept it (`disk`) at every boundary of a
write: without anything that was not synced, and with any sectors of it.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.e2e.faults.disk import Disk, Image, in_order, room, write
from tests.e2e.faults.recording import Recording, Sending, record
from tests.e2e.faults.recovered import Debt, debts, faults
from tests.e2e.faults.weak_receiver import WEAKNESSES
from tests.e2e.oath.premises import Premises
from tests.e2e.readable import Traces
from tests.e2e.receiving.conftest import data_set

pytestmark = pytest.mark.real("strace")

SMALL, LARGE = 300, 4_200_000  # bytes of pixels: into the shared pack, into one of its own
SEED, TORN, KEPT = 3, 150, 10  # images of each kind besides those without anything unsynced
SEARCHED = 15  # one image in so many is searched for what was planted


def ingest(sending: Sending) -> None:
    """Enough that the database moves its log into its file meanwhile."""
    for _ in range(12):
        sending.association(SMALL, SMALL)
    sending.together(4, SMALL, SMALL, SMALL)
    sending.stow(SMALL, SMALL, SMALL)
    sending.association(SMALL, LARGE, SMALL)
    sending.files(SMALL, SMALL)
    for _ in range(4):
        sending.together(4, SMALL)


def a_little(sending: Sending) -> None:
    sending.association(SMALL, SMALL)
    sending.stow(SMALL, SMALL)
    sending.together(2, SMALL, SMALL)


@dataclass
class Crashes:
    """A recording, what its acknowledgements promise, and a place to build vaults in."""

    recording: Recording
    owed: dict[str, Debt]
    traces: Traces
    folder: Path
    found: list[str] = field(default_factory=list)  # what was wrong, with the moment
    images: int = 0
    readable: set[str] = field(default_factory=set)

    def moments(self) -> Iterator[tuple[int, Disk, dict[str, Debt]]]:
        """Every boundary of a write, as it is just before the next event, with what was
        acknowledged until then."""
        disk = Disk(self.recording.premises.root, self.recording.before)
        replies = sorted(self.recording.replies, key=lambda reply: reply.begun)
        owed: dict[str, Debt] = {}
        for moment, event in in_order(self.recording.events):
            yield moment, disk, owed
            disk.step(event)
            while replies and replies[0].begun <= moment:
                owed = owed | {uid: self.owed[uid] for uid in replies.pop(0).instances}
        yield moment, disk, owed

    def check(self, what: str, image: Image, owed: dict[str, Debt]) -> None:
        """Start from that image as after a power loss."""
        shutil.rmtree(self.folder, ignore_errors=True)
        for name in ("vault", "kit"):
            (self.folder / name).mkdir(parents=True, mode=0o700)
        write(image, self.folder / "vault")
        self.images += 1
        if not self.images % SEARCHED:
            self.readable |= self.traces.found_in(self.folder)
        premises = self.recording.premises.in_folder(self.folder)
        self.found += [f"{what}: {fault}" for fault in faults(premises, self.recording.sent, owed)]

    def without_unsynced(self) -> None:
        """At each boundary, with nothing that was not synced by then. What is on the disk stays
        the same from one sync to the next: looked at once, when the most was acknowledged."""
        state: tuple[object, ...] = ()
        image: Image = {}
        then, promised = 0, dict[str, Debt]()
        for moment, disk, owed in self.moments():
            if disk.state() != state:
                if image:
                    self.check(f"without unsynced at {then}", image, promised)
                state, image = disk.state(), disk.dropped()
            then, promised = moment, owed
        self.check(f"without unsynced at {then}", image, promised)

    def at_random(self, seed: int, count: int, of: Callable[[Disk, random.Random], Image]) -> None:
        """At so many of the boundaries where something is not synced."""
        loose = [moment for moment, disk, _ in self.moments() if disk.loose]
        luck = random.Random(seed)
        chosen = set(luck.sample(loose, min(count, len(loose))))
        for moment, disk, owed in self.moments():
            if moment in chosen:
                self.check(f"seed {seed}, moment {moment}", of(disk, luck), owed)


def crashes(strace: str, premises: Premises, *how: object, folder: Path) -> Crashes:
    recording = record(strace, premises, *how)
    traces = Traces(data_set(uid, pixels=SMALL) for uid in recording.sent)
    return Crashes(recording, debts(premises), traces, folder)


@pytest.fixture(scope="module")
def recorded(
    founded: Premises, tmp_path_factory: pytest.TempPathFactory, tool: Callable[[str], str]
) -> Iterator[Crashes]:
    folder = tmp_path_factory.mktemp("power")
    with room() as images:
        yield crashes(tool("strace"), founded.copy(folder), ingest, folder=images)


def test_the_recording_is_whole(recorded: Crashes) -> None:
    """What the senders heard is what the trace shows; played to its end it gives the very files
    that are there; and the database moved its log while instances came."""
    recording, last = recorded.recording, None
    told = {uid for reply in recording.replies for uid in reply.instances}
    assert told == recording.acknowledged == set(recording.sent) == set(recorded.owed)
    for _, disk, _ in recorded.moments():
        last = disk.kept()
    assert last is not None
    root = recording.premises.root
    packs = {n: data for n, data in last.items() if n.endswith(".pack")}
    assert packs == {n: (root / n).read_bytes() for n in packs}
    assert len(packs) > 1
    moved = [e.begun for e in recording.events if e.call == "write" and e.path.endswith("sqlite3")]
    assert min(moved) < max(reply.begun for reply in recording.replies)


def test_nothing_acknowledged_needs_what_was_not_synced(recorded: Crashes) -> None:
    recorded.without_unsynced()
    assert recorded.found == []
    assert recorded.images > 2 * len(recorded.recording.replies)


def test_whatever_the_disk_kept_of_the_rest(recorded: Crashes) -> None:
    """Any sectors of any writes since the last sync, in any order; and all of it."""
    recorded.at_random(SEED, TORN, lambda disk, luck: disk.torn(luck))
    recorded.at_random(SEED, KEPT, lambda disk, luck: disk.kept())
    assert recorded.found == []


def test_nothing_planted_is_readable_after_any_of_it(recorded: Crashes) -> None:
    assert recorded.images > 2 * SEARCHED
    assert recorded.readable == set()


@pytest.mark.parametrize("weakness", WEAKNESSES)
def test_a_receiver_that_breaks_the_promise_is_caught(
    founded: Premises, tmp_path: Path, tool: Callable[[str], str], weakness: str
) -> None:
    with room() as images:
        weak = crashes(tool("strace"), founded.copy(tmp_path), a_little, weakness, folder=images)
        weak.without_unsynced()
    assert any("lost" in found or "not as sent" in found for found in weak.found)
