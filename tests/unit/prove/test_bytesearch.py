"""The byte search on whole folders: the plain copy is the positive control."""

from __future__ import annotations

import random
import zlib
from pathlib import Path

import numpy as np
import pytest

from serment.adapters.files.walk import walk
from serment.app.prove.bytesearch import Search, search_bytes
from serment.app.prove.forms import Planted
from serment.entrypoints.demo.studies import manifest, practice

NAME = Planted("name", "LEFÈVRE^Hélène", "1")


@pytest.fixture(scope="module")
def plain_copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plain")
    for number, planned in enumerate(practice()):
        for item, part10 in enumerate(planned.files()):
            (folder / f"{number}-{item}.dcm").write_bytes(part10)
    return folder


def test_a_plain_copy_holds_all_and_a_sealed_one_nothing(plain_copy: Path, tmp_path: Path) -> None:
    planted = [Planted(**entry) for entry in manifest()]
    search = Search(planted)
    plain = search.run(walk(plain_copy))
    assert len(plain.found) >= 0.99 * len(planted)
    assert plain.searched == len(planted)
    assert plain.sources == 1 + sum(1 for _ in plain_copy.iterdir())
    key = np.random.default_rng(7)
    for path in plain_copy.iterdir():
        data = np.frombuffer(path.read_bytes(), dtype=np.uint8)
        pad = key.integers(0, 256, data.size, dtype=np.uint8)
        (tmp_path / path.name).write_bytes((data ^ pad).tobytes())
    sealed = search.run(walk(tmp_path))
    assert sealed.found == {}
    size = sum(path.stat().st_size for path in plain_copy.iterdir())
    assert sealed.searched_bytes >= size


def test_file_names_are_searched_too(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "LEFEVRE Helene.tmp").touch()
    places = search_bytes([NAME], walk(tmp_path)).found[0]
    assert places[0].source == "(file names)"


def test_short_values_are_not_searched_and_that_is_said() -> None:
    outcome = search_bytes([Planted("sex", "F"), NAME], [("one", [b"F F F LEFEVRE Helene"])])
    assert outcome.too_short == (0,)
    assert outcome.searched == 1
    assert list(outcome.found) == [1]


def test_enough_places_are_enough() -> None:
    data = b"Helene Lefevre; " * 500
    assert len(Search([NAME], places=3).run([("one", [data])]).found[0]) == 3


def test_every_alignment_and_block_border_once_and_only_once() -> None:
    search = Search([NAME], places=1 << 20, block_bytes=512)
    sources = [(str(at), [bytes(at) + b"LEFEVRE^Helene" + bytes(700)]) for at in range(2100)]
    found = search.run(sources).found[0]
    assert [(place.source, place.offset) for place in found] == [(str(n), n) for n in range(2100)]


def test_homonyms_are_both_found() -> None:
    other = Planted("name", "LEFEVRE^Helene", "2")
    outcome = search_bytes([NAME, other], [("one", [b"x LEFEVRE^Helene x"])])
    assert set(outcome.found) == {0, 1}
    accented = search_bytes([NAME, other], [("one", ["x LEFÈVRE^Hélène x".encode()])])
    assert set(accented.found) == {0}


def test_a_letter_that_becomes_two() -> None:
    planted = Planted("name", "KŒNIGSHOFFER^Anaïs")
    for written in ("Kœnigshoffer Anaïs", "KOENIGSHOFFER^ANAIS", "anais koenigshoffer"):
        for encoding in ("utf-8", "utf-16-le"):
            data = b"__" + written.encode(encoding) + b"__"
            assert 0 in search_bytes([planted], [("one", [data])]).found, written


def test_a_broken_stream_gives_what_came_before_the_break() -> None:
    text = b"".join(b"%d filler " % n for n in range(300)) + b"LEFEVRE Helene"
    whole = zlib.compress(text + random.Random(1).randbytes(500))
    for broken in (whole[:-300], whole[:-300] + b"\xff" * 300):
        found = search_bytes([NAME], [("one", [b"??" + broken])]).found
        assert found[0][0].inside == "zlib at 2"


def test_a_bomb_is_cut_and_that_is_said() -> None:
    bomb = zlib.compress(bytes(1 << 24))
    search = Search([NAME], inflated_bytes=1 << 20)
    outcome = search.run([("one", [bomb + b"LEFEVRE^Helene"])])
    assert outcome.cut_streams == 1
    assert 0 in outcome.found


def test_values_are_masked() -> None:
    assert "Hélène" not in repr(NAME)
    assert "Hélène" not in repr(search_bytes([NAME], [("one", [b"LEFEVRE^Helene"])]))


def test_nothing_planted_finds_nothing() -> None:
    assert search_bytes([], [("one", [b"anything at all"])]).found == {}
