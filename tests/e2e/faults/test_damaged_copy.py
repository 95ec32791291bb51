"""One bit flipped anywhere in the copy of the keys, then the database is lost: the copy is refused, or
what it gives is named by `doctor` or `journal verify`, or it is what was there.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tests.e2e.faults.test_every_column import check_nothing_wrong_is_read, noticed
from tests.e2e.oath.aftermath import silent
from tests.e2e.oath.premises import Premises, ask
from tests.e2e.oath.test_damage import Kept
from tests.e2e.readable import check_nothing_readable

from serment.bootstrap.doctor import examine_vault
from serment.errors import SermentError

SEED, FLIPS, PAGE = 4, 40, 4096


@pytest.fixture(scope="module")
def whole(founded: Premises, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """Opened, copied, and without its database."""
    kept = Kept(founded.copy(tmp_path_factory.mktemp("copy")))
    kept.fill()
    with kept.premises.desk() as desk:
        desk.house.store.copy_keys()
    (kept.premises.root / "vault.sqlite3").unlink()
    return kept


def restored(kept: Kept) -> list[str]:
    """What is said while the copy takes the database's place, and afterwards."""
    try:
        found = examine_vault(kept.premises.root, True, True, silent)
    except SermentError as refusal:
        return [str(refusal)]
    bad = [str(each) for each in found["findings"] if each["grade"] == "bad"]
    kit = [each for each in bad if "the kit is here" in each]
    return [each for each in bad if each not in kit] + noticed(kept)


def rows(kept: Kept) -> list[object]:
    with kept.premises.desk() as desk:
        return [ask(desk, "search", login, query="") for login in ("docteur", "secretaire")]


def test_the_whole_copy_gives_everything_back(whole: Kept, tmp_path: Path) -> None:
    kept = whole.copy(tmp_path)
    assert restored(kept) == []
    assert [len(found) for found in rows(kept)] == [2, 2]  # type: ignore[arg-type]
    check_nothing_wrong_is_read(kept)


def places(size: int) -> list[int]:
    """A bit in every page, first those of the header and the beginnings of pages."""
    luck = random.Random(SEED)
    first = [luck.randrange(100) * 8 + luck.randrange(8)]
    pages = [start + luck.randrange(PAGE) for start in range(0, size, PAGE)]
    heads = [start + luck.randrange(12) for start in range(PAGE, size, PAGE)]
    some = luck.sample(pages + heads, min(FLIPS, len(pages) + len(heads)))
    return first + [at * 8 + luck.randrange(8) for at in some]


def test_one_bit_of_the_copy(whole: Kept, tmp_path: Path) -> None:
    expected = rows_of_the_whole(whole, tmp_path / "whole")
    size = (whole.premises.root / "keys.copy").stat().st_size
    noticed_at = 0
    for number, bit in enumerate(places(size)):
        folder = tmp_path / str(number)
        folder.mkdir()
        kept = whole.copy(folder)
        path = kept.premises.root / "keys.copy"
        data = bytearray(path.read_bytes())
        data[bit // 8] ^= 1 << bit % 8
        path.write_bytes(data)
        said = restored(kept)
        noticed_at += bool(said)
        if not said:
            assert rows(kept) == expected, f"seed {SEED}, bit {bit}"
        elif (kept.premises.root / "vault.sqlite3").exists():
            check_nothing_wrong_is_read(kept)
        check_nothing_readable(kept.premises.root, kept.sent.values())
    assert noticed_at > FLIPS / 3


def rows_of_the_whole(whole: Kept, folder: Path) -> list[object]:
    folder.mkdir()
    kept = whole.copy(folder)
    assert restored(kept) == []
    return rows(kept)
