"""Each success is said only after the disk had everything it stands for, as the system's own record of
what the receiver did shows: the bytes of the object, its pack's name, and the transaction with the
wraps that open it and the journal's entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.e2e.faults.recording import Recording, Reply, Sending, record
from tests.e2e.faults.recovered import debts
from tests.e2e.faults.trace import Event
from tests.e2e.faults.weak_receiver import WEAKNESSES
from tests.e2e.oath.premises import SECRET, Premises

from serment.core.records import pack
from serment.core.records.vault import StoredObject
from serment.ports import Matches

pytestmark = pytest.mark.real("strace")

SMALL, LARGE = 300, 4_200_000
FRAME = 24  # bytes of the header of each page in the log (sqlite.org/walformat.html)


def ingest(sending: Sending) -> None:
    sending.association(SMALL, LARGE, SMALL)
    sending.together(4, SMALL, SMALL, SMALL)
    sending.stow(SMALL, SMALL, LARGE)
    sending.files(SMALL, SMALL)


class Ledger:
    """What must be on the disk for each instance, and when it was."""

    def __init__(self, recording: Recording) -> None:
        self._events = recording.events
        self._root = recording.premises.root
        self._rows = _objects(recording.premises)
        self._owed = debts(recording.premises)

    def unsafe(self, reply: Reply) -> list[str]:
        """What was not surely on the disk when that reply was sent."""
        return [what for uid in reply.instances for what in self._unsafe(uid, reply.begun)]

    def _unsafe(self, uid: str, begun: int) -> Iterator[str]:
        row = self._rows[uid]
        path = self._root / "packs" / row.pack[:2] / f"{row.pack}.pack"
        start, end = _extent(path, row)
        bytes_of_it = [
            e for e in self._of("write", path) if e.offset < end and e.offset + len(e.data) > start
        ]
        if not bytes_of_it or not self._safe(path, bytes_of_it, begun):
            yield f"object {row.id}"
        if not self._safe(path.parent, self._of("create", path), begun):
            yield f"name of {row.pack}"
        debt = self._owed[uid]
        for value in (*(wrap[4] for wrap in debt.wraps), debt.entry[1]):
            if not self._committed(value, begun):
                yield f"transaction of {row.envelope}"

    def _committed(self, value: object, begun: int) -> bool:
        """Whether the transaction that brought these bytes into the log was synced."""
        assert isinstance(value, bytes)
        log = self._root / "vault.sqlite3-wal"
        writes = self._of("write", log)
        first = next(n for n, event in enumerate(writes) if value in event.data)
        frames = (n for n in range(first - 1, len(writes)) if len(writes[n].data) == FRAME)
        commit = next(n for n in frames if any(writes[n].data[4:8]))
        return self._safe(log, writes[first - 1 : commit + 2], begun)

    def _safe(self, path: Path, events: list[Event], begun: int) -> bool:
        """Whether a sync of that file, or folder, began after these and had returned by then."""
        ended = max(event.ended for event in events)
        return any(s.begun > ended and s.ended < begun for s in self._of("sync", path))

    def _of(self, call: str, path: Path) -> list[Event]:
        return [e for e in self._events if e.call == call and e.path == str(path)]


def _objects(premises: Premises) -> dict[str, StoredObject]:
    with premises.desk() as desk:
        reading = desk.reading(desk.practice.sign_in("docteur", SECRET, need_code=False))
        objects = {row.instance_uid: row.object for row in reading.instances(Matches())}
        found = {uid: desk.house.store.get(StoredObject, each) for uid, each in objects.items()}
    return {uid: row for uid, row in found.items() if row is not None}


def _extent(path: Path, row: StoredObject) -> tuple[int, int]:
    data = path.read_bytes()

    def read(offset: int, size: int) -> bytes:
        return data[offset : offset + size]

    start = row.offset - pack.HEAD_SIZE
    return start, pack.parse_record(read, start, len(data)).end


@pytest.fixture(scope="module")
def strace(tool: Callable[[str], str]) -> str:
    return tool("strace")


def test_everything_was_synced_before_each_reply(
    founded: Premises, tmp_path: Path, strace: str
) -> None:
    """C-STORE in one association and in several, STOW-RS and imports by the intake socket."""
    recording = record(strace, founded.copy(tmp_path), ingest)
    ledger = Ledger(recording)
    assert {uid for reply in recording.replies for uid in reply.instances} == set(recording.sent)
    assert len(recording.sent) == 20
    assert [ledger.unsafe(reply) for reply in recording.replies] == [[]] * len(recording.replies)


@pytest.mark.parametrize("weakness", WEAKNESSES)
def test_a_reply_before_its_sync_is_seen(
    founded: Premises, tmp_path: Path, strace: str, weakness: str
) -> None:
    recording = record(strace, founded.copy(tmp_path), ingest, weakness)
    ledger = Ledger(recording)
    unsafe = {what.split()[0] for reply in recording.replies for what in ledger.unsafe(reply)}
    expected = {"no folder sync": "name", "no log sync": "transaction"}
    assert unsafe == {expected.get(weakness, "object")}
