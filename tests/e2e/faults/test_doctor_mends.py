"""What `serment doctor` says is wrong and makes whole itself, with no server running: a row of an object
that is gone, and the second copy of the keys.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest
from tests.e2e.faults.test_every_column import check_nothing_wrong_is_read, noticed
from tests.e2e.oath.aftermath import silent
from tests.e2e.oath.premises import Premises
from tests.e2e.oath.test_damage import Kept, look, packs

from serment.bootstrap.doctor import examine_vault
from serment.bootstrap.house import alone
from serment.core.journal.entries import EventKind
from serment.core.journal.log import entry_of


@pytest.fixture(scope="module")
def whole(founded: Premises, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """All packs were indexed whole, by the restarts since."""
    kept = Kept(founded.copy(tmp_path_factory.mktemp("mended")))
    kept.fill()
    examine_vault(kept.premises.root, True, False, silent)
    return kept


def doctor(kept: Kept) -> tuple[list[str], list[str]]:
    """What it finds, the kit and this machine aside, and what it mends."""
    report: dict[str, Any] = examine_vault(kept.premises.root, True, False, silent)
    found = [str(each["message"]) for each in report["findings"]]
    aside = ("the kit is here", "MB are free")
    return [f for f in found if not any(each in f for each in aside)], [
        *map(str, report["repairs"])
    ]


def without_row(kept: Kept, count: int = 1) -> None:
    with closing(sqlite3.connect(kept.premises.root / "vault.sqlite3")) as rows, rows:
        rows.execute("DELETE FROM snapshot")
        rows.execute(
            "DELETE FROM stored_object WHERE rowid IN"
            " (SELECT rowid FROM stored_object ORDER BY rowid LIMIT ?)",
            (count,),
        )


def test_a_row_of_an_indexed_pack_that_is_gone(kept: Kept) -> None:
    assert doctor(kept) == ([], [])
    without_row(kept)
    assert len(look(kept).whole) == len(kept.sent) - 1
    said, repairs = doctor(kept)
    assert said == ["the objects of the envelope {row} are not those that the journal tells of"]
    assert repairs == ["1 rows of objects made again from their packs"]
    assert doctor(kept) == ([], [])
    assert look(kept).whole == set(kept.sent)
    with alone(kept.premises.root) as (_, house):
        entries = [e for row in house.store.journal() if (e := entry_of(row)) is not None]
    told = [e.details for e in entries if e.kind is EventKind.REPAIRED]
    assert {"what": "rows-put-back", "count": 1}.items() <= told[-1].items()


def test_what_the_pack_lost_with_the_row_is_not_hidden_by_mending(kept: Kept) -> None:
    """Both rows of an envelope are gone, and one of its objects: the other comes back, and the
    envelope goes on being named."""
    without_row(kept, 2)
    pack = max(packs(kept), key=lambda path: path.stat().st_size)
    data = pack.read_bytes()
    pack.write_bytes(data[: len(data) // 2])
    for _ in range(2):
        said, _ = doctor(kept)
        assert any("not those that the journal tells of" in each for each in said)
    check_nothing_wrong_is_read(kept)


@pytest.mark.parametrize("how", ["missing", "damaged"])
def test_a_copy_of_the_keys_that_would_not_do_is_written_anew(kept: Kept, how: str) -> None:
    copy = kept.premises.root / "keys.copy"
    if how == "missing":
        copy.unlink()
    else:
        copy.write_bytes(copy.read_bytes()[:5000])
    said, repairs = doctor(kept)
    assert len(said) == 1
    assert "second copy of the keys" in said[0]
    assert repairs == ["the second copy of the keys was written anew"]
    assert doctor(kept) == ([], [])
    (kept.premises.root / "vault.sqlite3").unlink()
    examine_vault(kept.premises.root, True, True, silent)
    assert noticed(kept) == []
    assert look(kept).whole == set(kept.sent)


@pytest.mark.parametrize(
    "spoil",
    [
        "UPDATE wrap SET blob = zeroblob(length(blob)) WHERE kind = 'member-seed'",
        "DELETE FROM wrap WHERE kind = 'circle-seed'",
        "UPDATE envelope SET public_key = zeroblob(40)",
    ],
)
def test_rows_that_the_second_copy_has_right_come_back(kept: Kept, spoil: str) -> None:
    examine_vault(kept.premises.root, True, False, silent)
    with closing(sqlite3.connect(kept.premises.root / "vault.sqlite3")) as rows, rows:
        assert rows.execute(spoil).rowcount > 0
    said, repairs = doctor(kept)
    assert said  # also what was mended is told of: somebody, or the disk, did it
    assert any(each.endswith("rows taken back from keys.copy") for each in repairs)
    assert doctor(kept) == ([], [])
    assert noticed(kept) == []
    assert look(kept).whole == set(kept.sent)


def test_a_copy_is_not_written_from_a_database_that_is_not_sound(kept: Kept) -> None:
    copy = kept.premises.root / "keys.copy"
    copy.unlink()
    with closing(sqlite3.connect(kept.premises.root / "vault.sqlite3")) as rows, rows:
        rows.execute("DELETE FROM wrap WHERE rowid = (SELECT max(rowid) FROM wrap)")
    said, repairs = doctor(kept)
    assert len(said) > 1
    assert repairs == []
    assert not copy.exists()
