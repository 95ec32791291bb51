"""One bit of a checkpoint flipped, in the vault or in a copy kept elsewhere: it is not believed, and never is
a journal called whole because of it.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.e2e.oath.premises import Premises, ask
from tests.e2e.readable import check_nothing_readable
from tests.practices import patient, report, study

from serment.core.journal.checkpoints import open_checkpoint, origin
from serment.core.records.vault import Setting
from serment.errors import SermentError

SEED = 30


@pytest.fixture
def premises(founded: Premises, tmp_path: Path) -> Iterator[Premises]:
    premises, sent = founded.copy(tmp_path), [report(study(patient()))]
    premises.receive(sent)
    with premises.desk() as desk:
        ask(desk, "search", "docteur", query="")
    yield premises
    check_nothing_readable(premises.root, sent)


def note_of(premises: Premises) -> str:
    """The newest checkpoint."""
    with premises.desk() as desk:
        return max(desk.house.store.checkpoints(), key=lambda row: row.size).note


def flipped(note: str, bit: int) -> str | None:
    """The note with that bit turned over; None where it is no text any more."""
    data = bytearray(note.encode())
    data[bit // 8] ^= 1 << bit % 8
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def regions(note: str) -> dict[str, range]:
    """Bytes of each region of the note (C2SP tlog-checkpoint, signed-note)."""
    text, _, signed = note.partition("\n\n")
    name, size, root = text.split("\n")[:3]
    _, key, signature = signed.rstrip("\n").split(" ")
    whole, places, at = note.encode(), {}, 0
    for what, value in (
        *(("name", name), ("size", size), ("root", root)),
        *(("signer", key), ("signature", signature)),
    ):
        at = whole.index(value.encode(), at)
        places[what] = range(at, at + len(value))
        at += len(value)
    return places | {"the rest": range(len(whole) - 1, len(whole))}


def test_every_bit_of_a_checkpoint(premises: Premises) -> None:
    note = note_of(premises)
    with premises.desk() as desk:
        key = desk.house.store.get(Setting, "journal-public-key")
        log = origin(desk.house.vault)
    assert key is not None
    open_checkpoint(note, log, key.value)
    for bit in range(8 * len(note.encode())):
        changed = flipped(note, bit)
        if changed is not None:
            with pytest.raises(SermentError) as refusal:
                open_checkpoint(changed, log, key.value)
            assert refusal.value.advice


def test_a_bit_in_each_region_is_named(premises: Premises) -> None:
    """In the vault itself, and in what somebody kept elsewhere."""
    note, luck = note_of(premises), random.Random(SEED)
    with premises.desk() as desk:
        assert ask(desk, "journal verify", kept=note)["ok"] is True
    for what, place in regions(note).items():
        changed = None
        while changed is None:
            changed = flipped(note, 8 * luck.choice(place) + luck.randrange(6))
        with premises.desk() as desk:
            assert not _believes(desk, changed), what
        with closing(sqlite3.connect(premises.root / "vault.sqlite3")) as rows, rows:
            rows.execute("UPDATE checkpoint SET note = ? WHERE note = ?", (changed, note))
        with premises.desk() as desk:
            assert ask(desk, "journal verify")["ok"] is False, what
        with closing(sqlite3.connect(premises.root / "vault.sqlite3")) as rows, rows:
            rows.execute("UPDATE checkpoint SET note = ? WHERE note = ?", (note, changed))
    with premises.desk() as desk:
        assert ask(desk, "journal verify")["ok"] is True


def _believes(desk: object, kept: str) -> bool:
    try:
        return bool(ask(desk, "journal verify", kept=kept)["ok"])  # type: ignore[arg-type]
    except SermentError:
        return False
