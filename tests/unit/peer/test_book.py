"""The file of pairings: for its owner only, whole or not at all, and refused when it is not ours."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.unit.exposure.peer.bonds import paired
from tests.unit.peer.helpers import NOW

from serment.adapters.peer.book import MOST_PAIRINGS, Book, Entry
from serment.core.exposure.peer.visit import Purpose
from serment.errors import Conflict, FormatError, NotFound, Unavailable

BOND = paired()[0]


def entry(name: str = "colleague", place: str = "203.0.113.9:7311") -> Entry:
    return Entry(name, BOND, NOW, place, {Purpose.LOOK: NOW})


def test_what_is_added_is_there_and_what_is_forgotten_is_not(tmp_path: Path) -> None:
    book = Book(tmp_path / "new" / "peers.json")
    assert book.entries() == ()
    book.add(entry())
    book.add(entry("a practice", place=""))
    assert Book(tmp_path / "new" / "peers.json").entries() == (
        entry("a practice", place=""),
        entry(),
    )
    assert book.named("colleague") == entry()
    found = book.find(BOND.id)
    assert found is not None
    assert found.name == "a practice"  # only who may ask this machine
    book.forget("colleague")
    for gone in (book.named, book.forget):
        with pytest.raises(NotFound):
            gone("colleague")
    with pytest.raises(NotFound):
        book.named("a practice")  # it helps nobody


def test_a_name_is_there_once_and_pairings_are_bounded(tmp_path: Path) -> None:
    book = Book(tmp_path / "peers.json")
    for number in range(MOST_PAIRINGS):
        book.add(entry(f"peer {number}"))
    with pytest.raises(Conflict):
        book.add(entry("one more"))
    book.forget("peer 7")
    with pytest.raises(Conflict):
        book.add(entry("peer 8"))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "peers.json"
    Book(path).add(entry())
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    with pytest.raises(Unavailable):
        Book(path).entries()


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"version": 2, "pairings": []}', '{"version": 1, "pairings": [{}]}', "[" * 99999,
     '{"version": 1, "pairings": 7}', " " * 300_000],
    ids=range(8),
)  # fmt: skip
def test_a_file_that_is_none_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "peers.json"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(FormatError):
        Book(path).entries()


def test_a_changed_key_is_told(tmp_path: Path) -> None:
    path = tmp_path / "peers.json"
    Book(path).add(entry())
    text = path.read_text()
    path.write_text(text.replace('"secret": "', '"secret": "00'))
    with pytest.raises(FormatError):
        Book(path).entries()
