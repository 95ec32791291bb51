"""What must be true of a vault after a crash, whatever the disk kept: nothing that was acknowledged
is lost, nothing is half there, and `doctor` has nothing to say.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.oath.aftermath import complaints
from tests.e2e.oath.premises import SECRET, Premises, ask
from tests.e2e.oath.sender import digest

from serment.app.protect.objects import ObjectReader
from serment.app.protect.reading import Reading
from serment.core.dicom.part10 import read_meta
from serment.core.records.vault import ObjectState, StoredObject
from serment.entrypoints.desk.desk import Desk
from serment.errors import SermentError
from serment.ports import InstanceRow, Matches

Wraps = frozenset[tuple[object, ...]]


@dataclass(frozen=True)
class Debt:
    """What an acknowledgement of one instance promises besides its bytes."""

    wraps: Wraps  # kind, subject, recipient, epoch, blob: all that open its envelope
    entry: tuple[int, bytes]  # number and leaf of the entry that its envelope was opened in


NOTHING_MORE = Debt(frozenset(), (0, b""))  # only the bytes themselves


def debts(premises: Premises) -> dict[str, Debt]:
    """By SOP Instance UID, from a vault in which nothing was filed yet."""
    with premises.desk() as desk:
        session = desk.practice.sign_in("docteur", SECRET, need_code=False)
        envelopes = {
            row.instance_uid: row.envelope for row in desk.reading(session).instances(Matches())
        }
    with closing(sqlite3.connect(premises.root / "vault.sqlite3")) as database:
        return {uid: _debt(database, envelope) for uid, envelope in envelopes.items()}


def _debt(database: sqlite3.Connection, envelope: str) -> Debt:
    sql = "SELECT number, leaf FROM journal WHERE CAST(body AS TEXT) LIKE ? ORDER BY number LIMIT 1"
    entry = database.execute(sql, (f'%"envelope":"{envelope}"%reception-opened%',)).fetchone()
    return Debt(_wraps(database, envelope), entry)


def _wraps(database: sqlite3.Connection, envelope: str) -> Wraps:
    sql = "SELECT kind, subject, recipient, epoch, blob FROM wrap WHERE subject = ?"
    return frozenset(database.execute(sql, (f"envelope:{envelope}",)))


def faults(premises: Premises, sent: Mapping[str, str], owed: Mapping[str, Debt]) -> list[str]:
    """Everything that is wrong with a vault that was just found after a crash; it is mended by this
    as by a restart.

    Args:
        sent: SHA-256 of each data set by its UID.
        owed: what was acknowledged.
    """
    wrong = [f"doctor: {found}" for found in complaints(premises)]
    with premises.desk() as desk:
        found = _data_sets(desk)
        wrong += [f"lost: {uid}" for uid in owed if uid not in found]
        wrong += [f"not as sent: {u}: {f}" for u, f in found.items() if {*f} != {sent.get(u)}]
        store = desk.house.store
        hidden = store.count(StoredObject, state=ObjectState.DUPLICATE)  # the very same, sent again
        if store.count(StoredObject) - hidden != sum(map(len, found.values())):
            wrong.append("rows without an object that opens")
        if not ask(desk, "journal verify")["ok"]:
            wrong.append("the journal does not hold")
    return wrong + _broken_promises(premises.root / "vault.sqlite3", owed.values())


def _data_sets(desk: Desk) -> dict[str, list[str]]:
    """SOP Instance UID -> SHA-256 of each data set that is listed, or why it cannot be read."""
    reading = desk.reading(desk.practice.sign_in("docteur", SECRET, need_code=False))
    rows = list(reading.instances(Matches()))
    try:
        contents = [_content(reader) for reader in reading.open(rows, "image")]
    except SermentError:  # one of them: which?
        contents = [_alone(reading, row) for row in rows]
    found: dict[str, list[str]] = {}
    for row, content in zip(rows, contents, strict=True):
        found.setdefault(row.instance_uid, []).append(content)
    return found


def _content(reader: ObjectReader) -> str:
    data = reader.all()
    return digest(data[read_meta(data).dataset_offset :])


def _alone(reading: Reading, row: InstanceRow) -> str:
    try:
        (reader,) = reading.open([row], "image")
        return _content(reader)
    except SermentError as error:
        return str(error)


def _broken_promises(path: Path, owed: Iterable[Debt]) -> list[str]:
    with closing(sqlite3.connect(path)) as database:
        wraps = set(database.execute("SELECT kind, subject, recipient, epoch, blob FROM wrap"))
        entries = set(database.execute("SELECT number, leaf FROM journal"))
    wrong = [f"wrap lost: {wrap[:4]}" for debt in owed for wrap in debt.wraps - wraps]
    return wrong + [
        f"entry lost: {d.entry[0]}" for d in owed if d.entry[1] and d.entry not in entries
    ]
