"""Small files that come from elsewhere are read up to a bound, however large they are."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from serment.bootstrap.folder import open_folder
from serment.bootstrap.world import read_share
from serment.entrypoints.cli.asking import LONGEST, _from_file
from serment.entrypoints.cli.journal import _read_note
from serment.errors import FormatError

SIZE = 64 << 20


def password(path: Path) -> str:
    found: Any = _from_file(SimpleNamespace(environment={"FILE": str(path)}), "FILE")
    return str(found.reveal())


@pytest.mark.parametrize(
    "read", [read_share, _read_note, password], ids=["a share", "a checkpoint", "a password"]
)
def test_a_huge_file_is_not_read_whole(tmp_path: Path, read: Callable[[Path], str]) -> None:
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.write(b"a few words\n")
        file.truncate(SIZE)
    tracemalloc.start()
    text = read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert text.startswith("a few words")
    assert peak < 4 << 20
    assert len(password(path)) <= LONGEST + 1


def test_a_huge_serment_toml_is_no_vault(tmp_path: Path) -> None:
    with (tmp_path / "serment.toml").open("wb") as file:
        file.write(b"# ")
        file.truncate(SIZE)
    tracemalloc.start()
    with pytest.raises(FormatError):
        open_folder(tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20
