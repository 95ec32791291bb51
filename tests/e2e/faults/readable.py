"""The byte search for what was planted in the instances that `recording` sends."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tests.e2e.receiving.conftest import data_set

from serment.adapters.files.walk import walk
from serment.app.prove.bytesearch import Search
from serment.app.prove.forms import Planted

NAME = "ESSAI^FICTIF"


def planted(uids: Iterable[str]) -> list[Planted]:
    """The patient's name and every instance's UID."""
    return [Planted("name", NAME), *(Planted("uid", uid) for uid in uids)]


def found_in(folder: Path, uids: Iterable[str]) -> set[str]:
    """Which of them stand anywhere in the folder, in whatever form."""
    values = planted(uids)
    outcome = Search(values).run(walk(folder))
    assert outcome.searched == len(values)
    return {values[number].value for number in outcome.found}


def check_the_search_works(folder: Path, uids: list[str]) -> None:
    """It finds all of it in plain files."""
    folder.mkdir()
    for number, uid in enumerate(uids):
        (folder / str(number)).write_bytes(data_set(uid))
    assert found_in(folder, uids) == {NAME, *uids}
