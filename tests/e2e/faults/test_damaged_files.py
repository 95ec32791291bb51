"""What a restored database replaced still has every wrap that was deleted since: it is named each time,
never overwritten, and gone once somebody says so or erases.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.e2e.faults.remains import left_in
from tests.e2e.oath.aftermath import silent
from tests.e2e.oath.premises import Premises
from tests.e2e.oath.test_damage import Kept
from tests.e2e.readable import check_nothing_readable

from serment.bootstrap.doctor import examine_vault
from serment.bootstrap.house import alone
from serment.core.journal.entries import Entry, EventKind
from serment.core.records.vault import Wrap, WrapKind
from serment.errors import Conflict


@pytest.fixture
def kept(founded: Premises, tmp_path: Path) -> Kept:
    """Its database was cut, and restored."""
    kept = Kept(founded.copy(tmp_path))
    kept.fill()
    examine_vault(kept.premises.root, True, False, silent)
    lose(kept)
    return kept


def lose(kept: Kept) -> None:
    """The header of the database is destroyed; its pages, with the wraps, are not."""
    path = kept.premises.root / "vault.sqlite3"
    path.write_bytes(b"damaged " * 12 + path.read_bytes()[96:])
    examine_vault(kept.premises.root, True, True, silent)


def delete_one(kept: Kept, *, erase: bool = False) -> bytes:
    with alone(kept.premises.root) as (_, house):
        wrap = house.store.find(Wrap, kind=WrapKind.ENVELOPE_SEED)[0]
        with house.store.change(Entry(EventKind.KEYS_MOVED, house.clock.now(), "m")) as tx:
            tx.delete(wrap)
        if erase:
            house.store.forget()
        else:
            house.store.copy_keys()
    return wrap.blob


def doctor(kept: Kept, **words: bool) -> tuple[list[str], list[str]]:
    report: dict[str, Any] = examine_vault(kept.premises.root, True, False, silent, **words)
    named = [str(f["values"]["path"]) for f in report["findings"] if "path" in f["values"]]
    assert all("T" in str(f["values"]["at"]) for f in report["findings"] if "path" in f["values"])
    return named, [str(each) for each in report["repairs"]]


def files(kept: Kept) -> list[str]:
    return sorted(path.name for path in kept.premises.root.glob("*.damaged*"))


def test_they_are_named_numbered_and_deleted_when_somebody_says_so(kept: Kept) -> None:
    lose(kept)
    assert [n for n in files(kept) if n[-4] != "-"] == [
        "vault.sqlite3.damaged",
        "vault.sqlite3.damaged-2",
    ]
    gone = delete_one(kept)
    assert left_in([gone], kept.premises.root) == 1
    for _ in range(2):
        assert sorted(doctor(kept)[0]) == files(kept)
    there = files(kept)
    assert sorted(doctor(kept, forget=True)[1]) == [f"{name} was deleted" for name in there]
    assert files(kept) == doctor(kept)[0] == doctor(kept, forget=True)[1] == []
    assert left_in([gone], kept.premises.root) == 0
    check_nothing_readable(kept.premises.root, kept.sent.values())


def test_erasing_deletes_them(kept: Kept) -> None:
    assert files(kept) != []
    gone = delete_one(kept, erase=True)
    assert files(kept) == []
    assert left_in([gone], kept.premises.root) == 0


def test_what_is_just_being_replaced_is_not_deleted(kept: Kept) -> None:
    before = files(kept)
    with pytest.raises(Conflict):
        examine_vault(kept.premises.root, True, True, silent, forget=True)
    assert files(kept) == before
