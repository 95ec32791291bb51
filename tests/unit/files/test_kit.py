"""Shares of the kit that lie where people leave things are found by their names."""

from __future__ import annotations

from pathlib import Path

import pytest

from serment.adapters.files import kit


def put(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("fictif")


def test_shares_are_found_however_they_were_copied(tmp_path: Path) -> None:
    one, two, three = (
        tmp_path / "serment-share-1-of-3.txt",
        tmp_path / "a" / "serment-share-2-of-3 (1).PDF",
        tmp_path / "a" / "b" / "c" / "Serment-Share-3-of-3 - copie.pdf",
    )
    put(one, two, three, tmp_path / "serment-share-4-of-3.txt", tmp_path / "share-1-of-3.txt")
    assert kit.find_shares([tmp_path]) == {one: 1, two: 2, three: 3}
    assert kit.find_shares([tmp_path], depth=0) == {one: 1}


def test_the_search_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(*(tmp_path / f"{number:03}" for number in range(50)))
    put(tmp_path / "below" / "serment-share-1-of-3.txt")
    assert kit.find_shares([tmp_path])
    monkeypatch.setattr(kit, "ENTRIES", 50)
    assert kit.find_shares([tmp_path]) == {}


def test_links_hidden_folders_and_closed_ones_are_left(tmp_path: Path) -> None:
    put(tmp_path / ".trash" / "serment-share-1-of-3.txt")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert kit.find_shares([tmp_path, tmp_path / "nothing"]) == {}


def test_a_service_without_a_home_looks_at_what_is_plugged_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def homeless() -> Path:
        raise RuntimeError

    assert Path.home() / "Documents" in kit.usual_places()
    monkeypatch.setattr(Path, "home", homeless)
    assert kit.usual_places() == [Path(mount) for mount in kit.MOUNTS]
