"""Every byte below a folder, names included, and nothing from outside it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from serment.adapters.files.walk import NAMES, walk
from serment.errors import Unavailable


def test_every_file_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "deep").write_bytes(b"0123456789")
    (tmp_path / ".hidden").write_bytes(b"h")
    (tmp_path / "empty").touch()
    read = {label: b"".join(chunks) for label, chunks in walk(tmp_path, chunk_bytes=3)}
    names = read.pop(NAMES)
    assert read == {"a/b/deep": b"0123456789", ".hidden": b"h", "empty": b""}
    assert set(names.split(b"\n")) == {b"a", b"a/b", b"a/b/deep", b".hidden", b"empty"}


def test_links_are_named_but_not_followed(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.write_bytes(b"elsewhere")
    (inside / "link").symlink_to(outside)
    os.mkfifo(inside / "pipe")
    labels = {label: b"".join(chunks) for label, chunks in walk(inside)}
    assert labels == {NAMES: b"link\npipe"}


def test_a_file_that_vanishes_is_left_out(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).write_bytes(b"x")
    read = []
    for label, chunks in walk(tmp_path):
        (tmp_path / "second").unlink(missing_ok=True)
        read.append((label, b"".join(chunks)))
    assert read[1] == ("first", b"x")
    assert all(label != "second" or data == b"" for label, data in read)


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    changing = tmp_path / "one"
    changing.write_bytes(b"x")
    with pytest.raises(Unavailable, match="Not a directory"):
        list(walk(changing))
    with pytest.raises(Unavailable, match="Is a directory"):
        for label, chunks in walk(tmp_path):
            if label == "one":
                changing.unlink()
                changing.mkdir()
            list(chunks)
