"""A process that opens a vault, works, locks, and counts what of a patient is still reachable.

Run as a program, so that nothing of the tests themselves is in its memory: the marks to look for
come in two halves and are never put together.
"""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from serment.bootstrap.world import alone_desk
from serment.core.crypto.secret import Key, Seed
from serment.core.masked import Masked
from serment.core.records.vault import Envelope, Patient
from serment.entrypoints.desk.desk import Desk
from serment.entrypoints.desk.request import Request
from serment.entrypoints.desk.table import answer
from serment.ports import Matches

LOGINS = ("docteur", "secretaire")


def texts() -> Iterator[str | bytes]:
    """Every text that something the collector knows refers to."""
    for thing in gc.get_objects():
        for held in gc.get_referents(thing):
            if isinstance(held, str | bytes | bytearray):
                yield bytes(held) if isinstance(held, bytearray) else held


def count(left: str, right: str) -> int:
    """Texts in which the two halves follow each other."""
    found = 0
    for text in texts():
        if isinstance(text, bytes):
            at = text.find(left.encode())
            found += at >= 0 and text[at + len(left) :].startswith(right.encode())
        else:
            at = text.find(left)
            found += at >= 0 and text[at + len(left) :].startswith(right)
    return found


def secrets() -> int:
    """Keys and seeds that are referred to."""
    return sum(isinstance(thing, Seed | Key) for thing in gc.get_objects())


def work(desk: Desk, password: Masked[str]) -> None:
    """Both sign in, search, read, look at the patient, and leave their sessions open."""
    for login in LOGINS:
        session = desk.practice.sign_in(login, password, need_code=False)
        searching = desk.searching(session)
        searching.studies(Matches())
        desk.practice.filing(session.identity or "").waiting()
        for patient in desk.house.store.find(Patient):
            answer(desk, Request("show", {"id": patient.id}, login, password))
        if session.care:
            rows = desk.reading(session).instances(Matches())
            for reader in desk.reading(session).open(rows, "report"):
                reader.all()
    assert desk.house.store.count(Envelope)


def main(vault: str, password_file: str, left: str, right: str) -> None:
    password = Masked(Path(password_file).read_text())
    report: dict[str, Any] = {}
    with alone_desk(Path(vault)) as desk:
        report["before"] = {"names": count(left, right), "keys": secrets()}
        work(desk, password)
        report["open"] = {"names": count(left, right), "keys": secrets()}
        desk.practice.lock_all()
        gc.collect()
        report["locked"] = {"names": count(left, right), "keys": secrets()}
        report["tables"] = len(desk.practice.tables)
    print(json.dumps(report))


if __name__ == "__main__":
    main(*sys.argv[1:])
