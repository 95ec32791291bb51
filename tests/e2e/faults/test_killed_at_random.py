"""One of the processes that receive, or all, is killed at any moment of an ingest, hundreds of times:
whatever was acknowledged is there, opens and is identical; nothing is half there; and they are back
at once each time.

`make kills` does the same a thousand times. What a power loss would leave is `test_power_loss`.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.e2e.faults.recovered import NOTHING_MORE, faults
from tests.e2e.oath.premises import Premises
from tests.e2e.oath.sender import RETRY_SECONDS, SUCCESS, Association, Sender, digest, new_uid
from tests.e2e.readable import check_nothing_readable
from tests.e2e.receiving.conftest import Peer, data_set

from serment.core.journal.entries import EventKind
from serment.core.journal.log import entry_of

KILLS = int(os.environ.get("KILLS", "200"))
SEED = int(os.environ.get("KILLS_SEED", "21"))
SMALL, LARGE = 2000, 4_200_000  # bytes of pixels: into the shared pack, into one of its own
SENDERS = {SMALL: 3, LARGE: 1}  # how many send instances of that size
BETWEEN_LARGE_SECONDS = 0.4
WHILE_STARTING = 0.15  # of the kills fall before it has said that it is ready
LONGEST_SECONDS = 0.12  # after something was acknowledged
HANGS_SECONDS = 60

pytestmark = [
    pytest.mark.timeout(120 + 3 * KILLS),
    pytest.mark.skipif(sys.platform == "win32", reason="needs fork"),
]


@dataclass
class Insistent(Sender):
    """Sends each instance again until it is acknowledged, as devices do."""

    pending: tuple[str, bytes] | None = None

    def _run(self) -> None:
        while self._goes_on():
            try:
                with Association(self.port()) as peer:
                    while self._goes_on():
                        self.one(peer)
                    peer.release()
            except (OSError, AssertionError):  # the peer is gone, or went while we waited
                self.cut += 1
                time.sleep(RETRY_SECONDS)

    def _goes_on(self) -> bool:
        return self.pending is not None or not self._stopping.is_set()

    def stop(self) -> None:
        """Once what was begun is acknowledged."""
        self.__exit__()
        assert self.pending is None, "nothing is acknowledged any more"

    def one(self, peer: Peer) -> int:
        if self.pending is None:
            uid = new_uid()
            data = data_set(uid, pixels=self.pixels)
            self.sent[uid] = digest(data)
            self.pending = (uid, data)
        uid, data = self.pending
        status = peer.store(data, instance=uid)
        if status == SUCCESS:
            self.acknowledged[uid] = self.sent[uid]
            self.pending = None
            self.progress.set()
            if self.pixels == LARGE:
                time.sleep(BETWEEN_LARGE_SECONDS)
        else:
            self.refused.append(status)
        return status


class Nursery:
    """Receivers of one vault, one after the other, on the same port."""

    def __init__(self, root: Path) -> None:
        self._root, self.port = root, 0
        script = Path(__file__).with_name("nursery.py")
        self._process = subprocess.Popen(
            [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.seconds: list[float] = []  # each start took, from the fork to the first connection

    def start(self) -> int:
        """A new receiver, maybe not ready yet."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{self._root} 127.0.0.1 {self.port}\n")
        self._process.stdin.flush()
        return int(self._said()["pid"])

    def wait(self) -> bool:
        """Until it is ready; False when it ended before."""
        said = self._said()
        if "dicom" in said:
            self.port = int(said["dicom"][1])
            self.seconds.append(said["seconds"])
        return "dicom" in said

    def crew(self, pid: int) -> list[int]:
        """This receiver and its helpers, as far as they are there."""
        return [pid, *(child.pid for child in psutil.Process(pid).children())]

    def kill(self, pid: int, victims: Sequence[int], *, ready: bool) -> None:
        """Kill these of the crew of receiver `pid`; all of it ends."""
        for victim in victims:
            with suppress(ProcessLookupError):  # it followed another one
                os.kill(victim, signal.SIGKILL)
        if not ready:
            self.wait()
        assert self._said() == {"gone": pid}

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(HANGS_SECONDS)

    def _said(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found


@dataclass
class Aftermath:
    premises: Premises
    sent: dict[str, str] = field(default_factory=dict)
    acknowledged: dict[str, str] = field(default_factory=dict)
    refused: list[int] = field(default_factory=list)
    cut: int = 0
    early: int = 0  # kills before it was ready
    seconds: list[float] = field(default_factory=list)


def kill_again_and_again(nursery: Nursery, senders: list[Insistent], after: Aftermath) -> None:
    """`KILLS` times; then one more receiver that lives until everything was acknowledged."""
    luck = random.Random(SEED)
    print(f"seed {SEED}, {KILLS} kills")
    for _ in range(KILLS):
        pid = nursery.start()
        if luck.random() < WHILE_STARTING:
            time.sleep(luck.uniform(0, 0.1))
            nursery.kill(pid, [pid], ready=False)
            after.early += 1
            continue
        assert nursery.wait(), "the receiver did not start"
        sender = luck.choice(senders)
        sender.progress.clear()
        assert sender.progress.wait(HANGS_SECONDS), "nothing is acknowledged any more"
        time.sleep(luck.uniform(0, LONGEST_SECONDS))
        crew = nursery.crew(pid)
        nursery.kill(pid, luck.choice([crew, *([each] for each in crew)]), ready=True)
    pid = nursery.start()
    assert nursery.wait()
    for sender in senders:
        sender.stop()
    nursery.kill(pid, nursery.crew(pid), ready=True)


@pytest.fixture(scope="module")
def after(founded: Premises, tmp_path_factory: pytest.TempPathFactory) -> Aftermath:
    premises = founded.copy(tmp_path_factory.mktemp("killed"))
    after, nursery = Aftermath(premises), Nursery(premises.root)
    sizes = [pixels for pixels, count in SENDERS.items() for _ in range(count)]
    senders = [Insistent(lambda: nursery.port or 9, pixels) for pixels in sizes]
    try:
        with ExitStack() as stack:
            for sender in senders:
                stack.enter_context(sender)
            kill_again_and_again(nursery, senders, after)
    finally:
        nursery.close()
    for sender in senders:
        after.sent |= sender.sent
        after.acknowledged |= sender.acknowledged
        after.refused += sender.refused
        after.cut += sender.cut
    after.seconds = nursery.seconds
    return after


def test_everything_acknowledged_is_there_and_nothing_is_half_there(after: Aftermath) -> None:
    """Each listed instance opens and is what was sent, acknowledged or not; `doctor` has nothing
    to say; the journal holds."""
    assert after.acknowledged == after.sent
    assert len(after.acknowledged) > 3 * KILLS
    owed = dict.fromkeys(after.acknowledged, NOTHING_MORE)
    assert faults(after.premises, after.sent, owed) == []


def test_kills_fell_everywhere(after: Aftermath) -> None:
    """While it started, and while several devices sent; each reception cut short says so."""
    assert after.early > KILLS / 20
    assert after.cut > KILLS
    with after.premises.desk() as desk:
        kinds = [e.kind for row in desk.house.store.journal() if (e := entry_of(row)) is not None]
    assert kinds.count(EventKind.RECEPTION_INTERRUPTED) > KILLS / 2
    assert kinds.count(EventKind.REPAIRED) > KILLS / 2


def test_it_is_back_at_once(after: Aftermath) -> None:
    """A bound for hangs only; `python -m bench.restart` measures."""
    print(f"from the fork to the first connection: {max(after.seconds):.2f} s at most")
    assert len(after.seconds) > KILLS / 2
    assert max(after.seconds) < HANGS_SECONDS
    assert after.refused == []


def test_nothing_planted_is_readable_afterwards(after: Aftermath) -> None:
    uids = random.Random(SEED).sample(sorted(after.sent), 50)
    check_nothing_readable(after.premises.root, [data_set(uid, pixels=SMALL) for uid in uids])
