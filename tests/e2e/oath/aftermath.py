"""What is in a vault afterwards: data sets by their UID, and what `doctor` has to say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
from tests.e2e.oath.premises import SECRET, Premises
from tests.e2e.oath.sender import digest
from tests.e2e.serving import Server

from serment.bootstrap.doctor import examine_vault
from serment.core.dicom.part10 import read_meta
from serment.entrypoints.desk.desk import Desk
from serment.ports import Matches


def receivers_of(server: Server) -> list[int]:
    """The processes that receive now, the first of them first; none while they start again."""
    try:
        children = psutil.Process(server.process.pid).children()
        first = next((c for c in children if "_receiver" in c.cmdline()), None)
        return [] if first is None else [first.pid, *(c.pid for c in first.children())]
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []


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


def data_sets(premises: Premises) -> dict[str, list[str]]:
    with opened(premises) as (_, found):
        return found


def complaints(premises: Premises) -> list[dict[str, Any]]:
    """What `serment doctor` finds, the kit and the space of this machine aside."""
    report = examine_vault(premises.root, True, False, silent)
    aside = ("the kit is here", "MB are free")
    return [f for f in report["findings"] if not any(word in f["message"] for word in aside)]


@contextmanager
def silent(label: str) -> Iterator[_Silent]:
    yield SILENT


class _Silent:
    def total(self, count: int) -> None:
        pass

    def step(self, count: int = 1) -> None:
        pass


SILENT = _Silent()
