"""How long the blast radius takes, and how much memory: a journal of many patients, made up.

python -m bench.radius make FILE --patients 500000 --reads 0     writes the journal's database
python -m bench.radius run FILE                                  asks, prints seconds and peak MB
"""

from __future__ import annotations

import argparse
import json
import resource
import secrets
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from serment.adapters.memory.clock import MemoryClock
from serment.adapters.memory.packs import MemoryPacks
from serment.adapters.memory.search import MemorySearchTable
from serment.adapters.sqlite import journal
from serment.adapters.sqlite.store import SqliteStore
from serment.app.house import House
from serment.app.protect.founding import found
from serment.app.respond.radius import Question, radius
from serment.app.watch.checkpoints import Checkpoints
from serment.core.crypto.entropy import new_id
from serment.core.journal.entries import Entry, EventKind
from serment.core.masked import Masked
from serment.core.records.vault import Member, Setting

VAULT, BATCH, DIGEST_BYTES = "ab" * 16, 200, 32
PASSWORD = Masked("Tilleul-Phare-47-Grenade")
K = EventKind
T = datetime(2026, 1, 5, 8, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Nowhere:
    """Nothing of a kit on this machine."""

    def shares_here(self) -> int:
        return 0


def entries(patients: int, reads: int, member: str) -> Iterator[Entry]:
    """Arrivals of one study each, filed and moved two hundred at a time, and reads of them."""
    at, share = T, reads / patients
    circles = [["circle-seed", f"circle:{c}@1", f"member:{member}", 0] for c in ("care", "dpo")]
    circles.append(["circle-seed", "circle:secretariat@1", f"member:{member}", 0])
    yield Entry(K.MEMBER_ADDED, at, member, {"wraps_made": circles})
    waiting: list[str] = []
    read = 0.0
    for _ in range(patients):
        at += SECOND
        envelope = new_id()
        yield Entry(K.RECEPTION_OPENED, at, "dicom", opened(envelope))
        came = {envelope: {"kinds": {"image": 40}, "objects": 40, "root": "00" * 32}}
        yield Entry(K.RECEPTION_CLOSED, at, "dicom", {**where(), "envelopes": came})
        waiting.append(envelope)
        if len(waiting) == BATCH:
            yield from filed(waiting, at, member)
            waiting = []
        read += share
        while read >= 1:
            read -= 1
            yield Entry(K.READ, at, member, shown(envelope))
    yield from filed(waiting, at, member)


def where() -> dict[str, object]:
    return {"source": "dicom", "peer": "192.0.2.7:50000", "local": "192.0.2.1:11112", "tls": False}


def opened(envelope: str) -> dict[str, object]:
    name = f"envelope:{envelope}"
    made = [["envelope-seed", name, r, 1] for r in ("circle:care", "recovery")]
    readers = ("circle:secretariat", "circle:dpo", "recovery")
    made += [["envelope-identity", name, r, 1] for r in readers]
    told = {"circle": "care", "envelope": envelope, "kind": "image", "wraps_made": made}
    rows = {"envelope": {envelope: digest()}, "identity_header": {f"{envelope} 0": digest()}}
    return {**where(), **told, "rows": {**rows, "wrap": digests(made)}}


def digest() -> str:
    """As long as the digest of a row."""
    return secrets.token_urlsafe(DIGEST_BYTES)


def digests(made: list[list[object]]) -> list[str]:
    return [digest() for _ in made]


def filed(envelopes: list[str], at: datetime, member: str) -> Iterator[Entry]:
    names = [f"envelope:{each}" for each in envelopes]
    readers = ("circle:secretariat", "circle:dpo", "recovery")
    made, gone = [], []
    for name in names:
        patient = f"patient:{new_id()}"
        made += [["patient-identity", patient, r, 1] for r in readers]
        made.append(["envelope-identity", name, patient, 0])
        gone += [["envelope-identity", name, r, 1] for r in readers]
    rows = {"envelope": {each: digest() for each in envelopes}, "wrap": digests(made)}
    details = {"envelopes": envelopes, "rows": rows, "wraps_made": made, "wraps_deleted": gone}
    yield Entry(K.FILED, at, member, details)
    made, gone = [], []
    for name in names:
        compartment = f"compartment:{new_id()}"
        made += [["patient-clinical", compartment, r, 1] for r in ("circle:care", "recovery")]
        made.append(["envelope-seed", name, compartment, 0])
        gone += [["envelope-seed", name, r, 1] for r in ("circle:care", "recovery")]
    rows = {"envelope": {each: digest() for each in envelopes}, "wrap": digests(made)}
    told = {"circle": "care", "envelopes": envelopes, "rows": rows}
    details = {**told, "wraps_made": made, "wraps_deleted": gone}
    yield Entry(K.KEYS_MOVED, at, member, details)


def shown(envelope: str) -> dict[str, object]:
    objects = [new_id() for _ in range(4)]
    told = {"session": "s", "envelope": envelope, "study": envelope, "patient": None}
    return {**told, "kind": "image", "objects": objects, "count": 4, "more": False, **where()}


def make(path: Path, patients: int, reads: int) -> None:
    clock = MemoryClock(T - SECOND)
    store = SqliteStore(path, path.with_suffix(".copy"))
    founded = found(VAULT, "Practice", store, clock, "admin", PASSWORD)
    with store._writer(store._fast) as connection:
        for entry in entries(patients, reads, founded.administrator):
            journal.append(connection, entry)
    clock.advance(patients + 60)
    signer = Checkpoints(store, clock, founded.journal_key, VAULT, 0, founding=True)
    signer.sign_if_changed()
    print(store.journal_size(), "entries")
    store.close()


def run(path: Path, question: str) -> None:
    store = SqliteStore(path, path.with_suffix(".copy"))
    (member,) = store.find(Member)
    last = T + timedelta(days=4000)
    clock = MemoryClock(last)
    house = House(
        VAULT,
        "Practice",
        store,
        MemoryPacks(),
        clock,
        MemorySearchTable,
        threading.RLock(),
        threading.BoundedSemaphore(2),
    )
    asked = {
        "stolen": Question(stolen="disk", at=last, known=(member.login,)),
        "account": Question(accounts=(member.login,), start=T - SECOND, end=last),
        "server": Question(server=True, start=T - SECOND, end=last),
    }[question]
    key = store.get(Setting, "journal-public-key")
    assert key is not None
    before, began, busy = peak_mb(), time.perf_counter(), time.process_time()
    found = radius(house, Nowhere(), key.value, "bench", asked)  # type: ignore[arg-type]
    seconds = time.perf_counter() - began
    print(
        json.dumps(
            {
                "question": question,
                "entries": found.trust.entries,
                "whole": found.trust.whole,
                "patients": {e.name: n for e, n in found.numbers.patients.items()},
                "seconds": round(seconds, 1),
                "cpu_seconds": round(time.process_time() - busy, 1),
                "microseconds_an_entry": round(seconds / found.trust.entries * 1e6, 1),
                "peak_mb": peak_mb(),
                "before_mb": before,
            }
        )
    )


def peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("make", "run"))
    parser.add_argument("path", type=Path)
    parser.add_argument("--patients", type=int, default=500_000)
    parser.add_argument("--reads", type=int, default=0)
    parser.add_argument("--question", default="stolen", choices=("stolen", "account", "server"))
    options = parser.parse_args()
    if options.what == "make":
        make(options.path, options.patients, options.reads)
    else:
        run(options.path, options.question)


if __name__ == "__main__":
    main()
